//go:build unix

package gatewaytest

import (
	"os"
	"syscall"
	"testing"
)

// Block replaces a file by a pipe without a writer: reading it blocks, as
// reading from a network disk that is not reachable does.
func Block(t testing.TB, file string) {
	t.Helper()
	if err := syscall.Mkfifo(file+".pipe", 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".pipe", file); err != nil {
		t.Fatal(err)
	}
}
