package main

import (
	"bytes"
	"testing"
)

func TestProbeUsage(t *testing.T) {
	for _, args := range [][]string{
		{}, {"ping"}, {"status", "now"}, {"-no-such-flag", "status"}, {"status", "-secret", ""}, {"status", "-secret-file", "/none"},
		{"access"}, {"accounting", "-status-type", "begin"}, {"coa"}, {"status", "-attr", "Class"}, {"status", "-address", "localhost"},
	} {
		var stdout, stderr bytes.Buffer
		if status := runProbe(args, &stdout, &stderr); status != 2 || stderr.Len() == 0 {
			t.Errorf("radsec-gw probe %q: exit status %d and %q, want 2 and a reason", args, status, stderr.String())
		}
	}
	var stdout, stderr bytes.Buffer
	if status := runProbe([]string{"-h"}, &stdout, &stderr); status != 0 {
		t.Errorf("-h: exit status %d, want 0", status)
	}
}
