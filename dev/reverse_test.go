package dev

import (
	"bytes"
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"testing"

	"radsec-gw/certs"
)

// The server ends a session at the NAS, of which it knows nothing but the Acct-Session-Id.
// Rules: RC20
func TestReverseCoA(t *testing.T) {
	said, err := runReverse(t, func(*server) {})
	if err != nil {
		t.Fatal(err)
	}
	rest := said
	for _, part := range []string{
		"\nThe other way: ",
		"    Acct-Session-Id = \"dev-session\"\n",
		"verified Access-Accept\n",
		"  [RADIUS server] Disconnect-Request for session \"dev-session\" over UDP to the gateway, ",
		"received Disconnect-Request, ",
		"    Acct-Session-Id = \"dev-session\"\n    NAS-Identifier = \"dev-nas\"\n",
		"sent Disconnect-ACK, ",
		"  [RADIUS server] Disconnect-ACK over UDP from the gateway, after ",
		"    Response Authenticator: verified\n",
	} {
		_, after, ok := strings.Cut(rest, part)
		if !ok {
			t.Fatalf("expected %q in its order in\n%s", part, said)
		}
		rest = after
	}
}

// If the Disconnect-Request does not reach the NAS, dev ends at once with what has become of it.
func TestReverseCoAFails(t *testing.T) {
	for want, where := range map[string]func(s *server){
		"verified, but the answer is Disconnect-NAK: Error-Cause = 503": func(s *server) {
			s.gateway = net.JoinHostPort("127.0.0.1", strconv.Itoa(s.CoAPort))
		},
		"nothing listens on UDP port 127.0.0.1:": func(s *server) {
			address, err := freeUDPAddress()
			if err != nil {
				t.Fatal(err)
			}
			s.gateway = address
		},
	} {
		said, err := runReverse(t, where)
		if err == nil || !strings.HasPrefix(err.Error(), "reverse CoA: the Disconnect-Request of the RADIUS server to 127.0.0.1:") || !strings.Contains(err.Error(), want) {
			t.Errorf("got the error %v, expected one of reverse CoA that says %q; the transcript is\n%s", err, want, said)
		}
	}
}

// runReverse is Run with -once, after a change to where the server sends. It returns what it
// prints.
func runReverse(t *testing.T, change func(s *server)) (said string, err error) {
	t.Helper()
	dir := t.TempDir()
	if _, err := certs.WriteDir(dir, certs.DirOptions{Clients: []string{"client"}}); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := &sharedWriter{w: &b, failed: cancel}
	s, err := startServer(serverSecret, out)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close() // again, unless all is well
	o := Options{Address: "127.0.0.1:0", Metrics: "127.0.0.1:0", Once: true}
	p, dynamic, err := plan(ctx, o, dir, s, out)
	if err != nil {
		t.Fatal(err)
	}
	s.gateway = dynamic
	change(s)
	err = errors.Join(serve(ctx, o, p, dir, s, out, t.Output()), s.close())
	return b.String(), err
}
