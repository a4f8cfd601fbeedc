//go:build linux

package main

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Where Go forbids MD5, commands that cannot work say so and end, rather than panic at the first
// packet.
//
// Fault S13.
func TestCommandsRefuseToRunWithoutMD5(t *testing.T) {
	program := builtProgram(t)
	for _, command := range []string{"serve", "check", "dev", "probe status", "version"} {
		want := exitConfig
		if command == "version" {
			want = 0
		}
		var printed bytes.Buffer
		cmd := exec.Command(program, strings.Fields(command)...)
		cmd.Dir, cmd.Stderr = t.TempDir(), &printed
		cmd.Env = append(os.Environ(), "GODEBUG=fips140=only")
		if got := status(t, cmd); got != want || strings.Contains(printed.String(), "forbids MD5") != (want == exitConfig) {
			t.Errorf("%s: status %d, want %d; it printed %s", command, got, want, &printed)
		}
	}
}
