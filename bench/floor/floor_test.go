package floor

import (
	"context"
	"net"
	"testing"
	"time"

	"radsec-gw/bench/answer"
	"radsec-gw/bench/load"
	"radsec-gw/bench/material"
	"radsec-gw/bench/packets"
)

// Client, relay, server: every reply is verified end to end.
func TestRelay(t *testing.T) {
	secret := []byte("radsec")
	files, err := material.Write(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	server, err := answer.Listen(answer.Config{Auth: "127.0.0.1:0", Acct: "127.0.0.1:0", Secret: secret, Verify: true})
	if err != nil {
		t.Fatal(err)
	}
	config, err := files.Server()
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 2)
	go func() { ended <- server.Serve(ctx) }()
	listen := freeAddress(t)
	go func() {
		ended <- Serve(ctx, Config{Listen: listen, Auth: address(server.AuthPort()), Acct: address(server.AcctPort()), TLS: config})
	}()
	defer func() {
		cancel()
		for range 2 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	}()

	client, err := files.Client()
	if err != nil {
		t.Fatal(err)
	}
	mix, _ := packets.ParseMix("mixed")
	cfg := load.Config{Address: listen, TLS: client, Secret: secret, Connections: 3, Outstanding: 5, Mix: mix,
		Duration: 200 * time.Millisecond, Timeout: 5 * time.Second, SampleEvery: 1}
	r, err := load.Run(ctx, cfg)
	for deadline := time.Now().Add(5 * time.Second); err != nil && time.Now().Before(deadline); {
		r, err = load.Run(ctx, cfg) // the relay is not listening yet
	}
	if err != nil {
		t.Fatal(err)
	}
	if r.Answered == 0 || r.Lost+r.Bad+r.Unmatched+uint64(r.Broken)+server.Bad.Load() != 0 || r.Verified != r.Answered {
		t.Errorf("through the bare relay:\n%v%d bad requests at the server", r, server.Bad.Load())
	}
	cfg.Duration = 50 * time.Millisecond
	for resume, want := range map[bool]bool{false: false, true: true} {
		h, err := load.Handshakes(ctx, cfg, resume, 2)
		if err != nil {
			t.Fatal(err)
		}
		if h.Done == 0 || (h.Resumed == h.Done) != want {
			t.Errorf("resume %v: %d of %d handshakes were resumed", resume, h.Resumed, h.Done)
		}
	}
}

func address(port int) string { return (&net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}).String() }

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
