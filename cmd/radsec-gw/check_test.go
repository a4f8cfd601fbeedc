package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"radsec-gw/gateway"
	"radsec-gw/gateway/gatewaytest"
)

func checkCommand(args ...string) (int, string, string) {
	return runCommand(func(a []string, o, e *bytes.Buffer) int { return runCheck(a, o, e) }, args...)
}

// check prints a report and nothing else for a good configuration.
func TestCheckReports(t *testing.T) {
	_, file := gatewaytest.Dir(t, gatewaytest.TwoServers)
	status, out, errs := checkCommand("-config", file)
	if status != 0 || errs != "" || !strings.HasPrefix(out, file+" has no mistakes.\n") {
		t.Errorf("expected 0 and a report, got %d:\n%s%s", status, out, errs)
	}
}

// check prints every mistake and how many there are, and exits with 1; serve prints
// the same mistakes and exits with 78.
func TestCheckAndServePrintTheSameMistakes(t *testing.T) {
	_, file := gatewaytest.Dir(t, gatewaytest.TwoServers+"[metrics]\ncertificate = \"certs/dev/ca.key\"\nunheard_of = 1\n")
	_, err := gateway.Load(t.Context(), file)
	if err == nil {
		t.Fatal("expected mistakes, got none")
	}
	status, out, errs := checkCommand("-config", file)
	if n := strings.Count(err.Error(), "\n") + 1; n < 2 || status != 1 || out != "" || errs != fmt.Sprintf("%v\n%d mistakes\n", err, n) {
		t.Errorf("expected 1, %d mistakes and nothing else, got %d:\n%s%s", n, status, out, errs)
	}
	status, _, errs = runCommand(func(a []string, o, e *bytes.Buffer) int { return runServe(a, o, e) }, "-config", file)
	if status != 78 || errs != err.Error()+"\n" {
		t.Errorf("expected serve to print the same mistakes and exit with 78, got %d:\n%s", status, errs)
	}
}

func TestCheckUsage(t *testing.T) {
	for _, x := range []struct {
		args   []string
		status int
		want   string
	}{
		{nil, 2, "expected -config FILE"},
		{[]string{"-config", "x", "y"}, 2, "expected -config FILE"},
		{[]string{"-nope"}, 2, "not defined: -nope"},
		{[]string{"-help"}, 0, "config.example.toml"},
		{[]string{"-config", "/nowhere/c.toml"}, 1, "there is no /nowhere/c.toml"},
		{[]string{"-config", "/nowhere/c.toml"}, 1, "\n1 mistake\n"},
	} {
		if status, _, errs := checkCommand(x.args...); status != x.status || !strings.Contains(errs, x.want) {
			t.Errorf("check %q: expected %d and %q, got %d: %s", x.args, x.status, x.want, status, errs)
		}
	}
}
