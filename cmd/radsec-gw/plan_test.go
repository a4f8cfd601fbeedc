package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"radsec-gw/certs"
)

// What was read is what is served: a file that changes between the reading and
// the start has no part in it.
//
// Fault L3.
func TestWhatWasCheckedIsServed(t *testing.T) {
	dir, file := checkDir(t, runningText(1812))
	p := planOf(t, file)
	checked, err := os.ReadFile(filepath.Join(dir, "certs/dev/server.pem"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"server.pem", "server.key", "ca.pem"} {
		writeTestFile(t, filepath.Join(dir, "certs/dev", name), []byte("changed after the check"))
	}
	ctx, cancel := context.WithCancel(context.Background())
	g, err := startGateway(ctx, p, slog.New(slog.DiscardHandler))
	if err != nil {
		cancel()
		t.Fatalf("the files were read again: %v", err)
	}
	chain, err := certs.ParseCertificates("server.pem", checked)
	if err != nil {
		t.Fatal(err)
	}
	if leaf := g.front.Config().Certificate.Leaf; !leaf.Equal(chain[0]) {
		t.Errorf("%v is served, want %v", leaf.Subject, chain[0].Subject)
	}
	cancel()
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
}
