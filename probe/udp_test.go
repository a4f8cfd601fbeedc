package probe

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"layeh.com/radius"
)

// udpServer answers each datagram with what answer returns, nil for nothing, until the test
// ends. number counts the datagrams from 0.
func udpServer(t *testing.T, answer func(number int, request []byte) []byte) string {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 4096)
		for number := 0; ; number++ {
			n, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			if reply := answer(number, b[:n]); reply != nil {
				c.WriteTo(reply, from)
			}
		}
	}()
	t.Cleanup(func() { c.Close(); <-done })
	return c.LocalAddr().String()
}

// signed answers a request with a code, signed with a secret, with or without a
// Message-Authenticator.
func signed(t *testing.T, request []byte, code radius.Code, secret string, sign bool) []byte {
	p, err := radius.Parse(request, []byte(secret))
	if err != nil {
		t.Error(err)
		return nil
	}
	reply := p.Response(code)
	if sign {
		AddMessageAuthenticator(reply)
	}
	b, err := Sign(reply)
	if err != nil {
		t.Error(err)
	}
	return b
}

// Each outcome over UDP is told apart, with what to do about it.
//
// Fault O9.
func TestRunUDP(t *testing.T) {
	const secret = "udp-secret"
	for _, row := range []struct {
		name   string
		cfg    Config
		answer func(number int, request []byte) []byte
		ok     bool
		want   []string
	}{
		{"status", Config{Kind: Status}, func(_ int, q []byte) []byte { return signed(t, q, radius.CodeAccessAccept, secret, true) }, true,
			[]string{"sending over UDP to radius-a, 127.0.0.1:", " from 127.0.0.1:", "verified Access-Accept"}},
		{"accounting", Config{Kind: Accounting, User: "bob"}, func(_ int, q []byte) []byte { return signed(t, q, radius.CodeAccountingResponse, secret, false) }, true,
			[]string{"verified Accounting-Response"}},
		{"the first transmission is lost", Config{Kind: Status}, func(n int, q []byte) []byte {
			if n == 0 {
				return nil
			}
			return signed(t, q, radius.CodeAccessAccept, secret, true)
		}, true, []string{"transmission 2", "verified Access-Accept"}},
		{"rejected", Config{Kind: Access, User: "bob", Password: "hello"}, func(_ int, q []byte) []byte { return signed(t, q, radius.CodeAccessReject, secret, true) }, false,
			[]string{"verified, but the answer is Access-Reject"}},
		{"another secret", Config{Kind: Access, User: "bob", Password: "hello"}, func(_ int, q []byte) []byte { return signed(t, q, radius.CodeAccessAccept, "other", true) }, false,
			[]string{"Response Authenticator: WRONG (-secret, or that of the [[server]],", "does not verify", "the gateway drops such a reply"}},
		{"not signed", Config{Kind: Access, User: "bob", Password: "hello"}, func(_ int, q []byte) []byte { return signed(t, q, radius.CodeAccessAccept, secret, false) }, false,
			[]string{"absent, but required (CVE-2024-3596)", "does not verify"}},
		{"a malformed reply, then a good one", Config{Kind: Status}, func(n int, q []byte) []byte {
			if n == 0 {
				return append([]byte{2, q[1], 0, 22}, make([]byte, 18)...) // an attribute of Length 0
			}
			return signed(t, q, radius.CodeAccessAccept, secret, true)
		}, true, []string{"ignored a datagram of 22 octets, which is malformed", "transmission 2", "verified Access-Accept"}},
		{"nothing but malformed replies", Config{Kind: Status, Timeout: 300 * time.Millisecond}, func(_ int, q []byte) []byte { return []byte{2, q[1], 0, 4} }, false,
			[]string{"ignored a datagram of 4 octets, which is malformed", "no reply to the Status-Server: got nothing but a datagram of 4 octets", "more before it, which the gateway would ignore, too: is "}},
		{"late replies to another request", Config{Kind: Status, Timeout: 300 * time.Millisecond}, func(_ int, q []byte) []byte { return append([]byte{2, q[1] + 1, 0, 20}, make([]byte, 16)...) }, false,
			[]string{"silence"}},
		{"silence", Config{Kind: Status, Timeout: 300 * time.Millisecond}, func(int, []byte) []byte { return nil }, false,
			[]string{"the server does not know 127.0.0.1", "as a client", "status_server = yes"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			var b bytes.Buffer
			row.cfg.Secret = secret
			to := UDP{Name: "radius-a", Address: udpServer(t, row.answer), RequireMessageAuthenticator: true, firstWait: 50 * time.Millisecond}
			_, err := RunUDP(context.Background(), row.cfg, to, &b)
			said := b.String()
			if err != nil {
				said += err.Error()
			}
			if (err == nil) != row.ok {
				t.Errorf("the error is %v, expected one: %v", err, !row.ok)
			}
			checkTranscript(t, said, row.want)
			if strings.Contains(said, secret) {
				t.Error("the transcript shows the secret")
			}
		})
	}
}

// The lines about malformed datagrams are bounded, however many arrive.
func TestIgnoredDatagramsAreBounded(t *testing.T) {
	var b bytes.Buffer
	ignored := &ignoredDatagrams{w: &b, begun: time.Now()}
	for range 1000 {
		ignored.add(4, errors.New("too short"))
	}
	if n := strings.Count(b.String(), "\n"); n != maxIgnoredLines+1 || ignored.String() != "a datagram of 4 octets, which is malformed (too short), and 999 more before it" {
		t.Errorf("%d lines, expected %d; at the end %q", n, maxIgnoredLines+1, ignored)
	}
}

// What cannot be sent says why: a closed port, a source that is nobody's, no secret.
//
// Fault O9.
func TestRunUDPCannotSend(t *testing.T) {
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := c.LocalAddr().String()
	c.Close()
	for want, row := range map[string]struct {
		secret string
		to     UDP
	}{
		"nothing listens on UDP port " + closed: {"s", UDP{Address: closed}},
		"no interface of this machine has that": {"s", UDP{Address: closed, Source: netip.MustParseAddr("192.0.2.77")}},
		"-secret: expected the secret":          {"", UDP{Address: closed}},
	} {
		if _, err := RunUDP(context.Background(), Config{Kind: Status, Secret: row.secret}, row.to, new(bytes.Buffer)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, expected %q", err, want)
		}
	}
}

// The probe waits longer than a gateway with the default schedule, which answers at 30 s.
//
// Fault O10.
func TestDefaultTimeout(t *testing.T) {
	if got := (Config{}).withDefaults().Timeout; got <= 30*time.Second {
		t.Errorf("the probe gives up after %v, expected more than 30 s", got)
	}
}
