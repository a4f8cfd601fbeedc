//go:build unix

package gatewaytest

import (
	"os"
	"syscall"
	"testing"
)

// Block puts a pipe that nobody writes to in the place of a file: reading it blocks, as
// reading from a network disk that is away does.
func Block(t testing.TB, file string) {
	t.Helper()
	if err := syscall.Mkfifo(file+".pipe", 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".pipe", file); err != nil {
		t.Fatal(err)
	}
}
