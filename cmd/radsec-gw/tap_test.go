package main

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"

	"radsec-gw/audit"
	"radsec-gw/gateway"
	"radsec-gw/gateway/gatewaytest"
)

func TestTapUsage(t *testing.T) {
	for _, row := range []struct {
		args []string
		want int
		said string
	}{
		{[]string{"-h"}, 0, "decoded, hidden values masked"},
		{[]string{"extra"}, 2, `unexpected argument "extra"`},
		{[]string{"-socket", filepath.Join(t.TempDir(), "none")}, 1, "is it running"},
	} {
		var out, errs bytes.Buffer
		if got := runTap(row.args, &out, &errs); got != row.want || !strings.Contains(errs.String(), row.said) {
			t.Errorf("tap %v: %d %q, want %d and %q", row.args, got, errs.String(), row.want, row.said)
		}
	}
}

// A tap prints what the gateway shows until it is interrupted, which is not an error, or
// until the gateway ends it, which is one.
func TestTapEnds(t *testing.T) {
	_, file := gatewaytest.Dir(t, strings.Replace(gatewaytest.Config(1812), `socket = ""`, `socket = "tap.sock"`, 1))
	p, err := gateway.Load(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	running, end := context.WithCancel(t.Context())
	defer end()
	g, err := gateway.Start(running, p, gateway.Options{})
	if err != nil {
		t.Fatal(err)
	}
	tap := func(ctx context.Context) <-chan error {
		var shown gatewaytest.Log
		ended := make(chan error, 1)
		go func() { ended <- tapInto(ctx, &shown, p.Config.Tap.Socket, audit.Filter{Realm: "example.org"}) }()
		shown.Await(t, `showing realm="example.org"`)
		return ended
	}
	ctx, interrupt := context.WithCancel(t.Context())
	interrupted, ended := tap(ctx), tap(t.Context())
	interrupt()
	if err := <-interrupted; err != nil {
		t.Errorf("a tap that is interrupted returns %v, expected nil", err)
	}
	end()
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "has ended the tap") {
		t.Errorf("a tap whose gateway has ended returns %v, expected that", err)
	}
}
