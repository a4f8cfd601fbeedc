package hello_test

import (
	"bytes"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/dtls/v4"
	"github.com/pion/dtls/v4/pkg/protocol"

	"radsec-gw/dtlsfront/hello"
	"radsec-gw/dtlsfront/record"
)

var (
	remote = netip.MustParseAddrPort("192.0.2.7:40000")
	local  = netip.MustParseAddr("192.0.2.1")
)

// client is a client of pion's, which has sent its first ClientHello.
type client struct {
	t    testing.TB
	conn *dtls.DetachedConn
}

func newClient(t testing.TB) *client {
	t.Helper()
	conn, err := dtls.DetachedClient(&net.UDPAddr{}, dtls.WithInsecureSkipVerify(true), dtls.WithMaxVersion(protocol.Version1_2), dtls.WithFlightInterval(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &client{t, conn}
}

// hello returns the datagram that the client sends next, and the ClientHello in it.
func (c *client) hello() ([]byte, hello.Hello) {
	c.t.Helper()
	e := c.conn.NextEvent()
	if e.Kind != dtls.DetachedWriteDatagrams {
		c.t.Fatalf("the client sends nothing: event %d", e.Kind)
	}
	h, ok := hello.Parse(e.Datagrams[0])
	if !ok {
		c.t.Fatal("its ClientHello is not understood")
	}
	return e.Datagrams[0], h
}

// exchange returns the first and the second ClientHello of a client, which got a cookie between
// them.
func exchange(t testing.TB, cookies *hello.Cookies, now time.Time) (first, second []byte) {
	t.Helper()
	c := newClient(t)
	first, h := c.hello()
	if err := c.conn.HandleDatagram(h.AppendVerifyRequest(nil, cookies.Make(now, remote, local, &h)), nil); err != nil {
		t.Fatal(err)
	}
	second, _ = c.hello()
	return first, second
}

// A client returns its cookie, which is valid for it alone: for its address, and for what it
// offered.
// Rules: DT5
func TestCookie(t *testing.T) {
	now := time.Now()
	cookies := hello.NewCookies(now)
	first, second := exchange(t, cookies, now)
	h, ok := hello.Parse(second)
	if !ok || h.Message != 1 || h.Sequence != 1 || len(h.Cookie) != hello.CookieSize {
		t.Fatalf("the second ClientHello is read as message %d in record %d with a cookie of %d octets", h.Message, h.Sequence, len(h.Cookie))
	}
	if !cookies.Valid(now, remote, local, &h) {
		t.Error("the cookie is not valid")
	}
	for name, elsewhere := range map[string]string{"address": "192.0.2.8:40000", "port": "192.0.2.7:40001"} {
		if cookies.Valid(now, netip.MustParseAddrPort(elsewhere), local, &h) {
			t.Errorf("the cookie is valid for another %s", name)
		}
	}
	if cookies.Valid(now, remote, netip.MustParseAddr("192.0.2.2"), &h) {
		t.Error("the cookie is valid at another address of the gateway")
	}
	_, other := exchange(t, cookies, now)
	o, _ := hello.Parse(other)
	o.Cookie = h.Cookie
	if cookies.Valid(now, remote, local, &o) {
		t.Error("the cookie is valid for another ClientHello")
	}
	changed := bytes.Clone(second)
	at := record.HeaderSize + 12 + 2 + 32 // of the session, then the cookie, then the suites
	for range 2 {
		at += 1 + int(changed[at])
	}
	changed[at+3] ^= 1
	o, ok = hello.Parse(changed)
	if !ok || !bytes.Equal(o.Random, h.Random) || !bytes.Equal(o.Cookie, h.Cookie) {
		t.Fatal("a ClientHello with another cipher suite is not read")
	}
	if cookies.Valid(now, remote, local, &o) {
		t.Error("the cookie is valid for other cipher suites")
	}
	if got := h.WithoutCookie(); !bytes.Equal(got, first) {
		t.Errorf("without its cookie the second ClientHello is\n%x\nexpected the first,\n%x", got, first)
	}
}

// A cookie is valid for one to two minutes.
// Rules: DT5
func TestCookieKeysChange(t *testing.T) {
	now := time.Now()
	cookies := hello.NewCookies(now)
	_, second := exchange(t, cookies, now)
	h, _ := hello.Parse(second)
	for _, c := range []struct {
		after time.Duration
		want  bool
	}{{59 * time.Second, true}, {119 * time.Second, true}, {121 * time.Second, false}} {
		if got := cookies.Valid(now.Add(c.after), remote, local, &h); got != c.want {
			t.Errorf("after %v the cookie is valid: %v, expected %v", c.after, got, c.want)
		}
	}
	late := hello.NewCookies(now)
	_, second = exchange(t, late, now)
	h, _ = hello.Parse(second)
	if late.Valid(now.Add(time.Hour), remote, local, &h) {
		t.Error("a cookie is valid after an hour without others")
	}
}

// A ClientHello in fragments is not understood, nor one that is cut anywhere.
// Rules: DT5
func TestParseRefuses(t *testing.T) {
	first, _ := newClient(t).hello()
	fragment := bytes.Clone(first)
	fragment[record.HeaderSize+11]-- // fragment_length
	if _, ok := hello.Parse(fragment); ok {
		t.Error("a fragment is taken for a ClientHello")
	}
	for n := range first {
		if _, ok := hello.Parse(first[:n]); ok {
			t.Errorf("its first %d of %d octets are taken for a ClientHello", n, len(first))
		}
	}
}

// Making and checking a cookie allocates nothing.
func TestNoAllocations(t *testing.T) {
	now := time.Now()
	cookies := hello.NewCookies(now)
	_, second := exchange(t, cookies, now)
	b := make([]byte, 0, 100)
	n := testing.AllocsPerRun(100, func() {
		h, _ := hello.Parse(second)
		b = h.AppendVerifyRequest(b[:0], cookies.Make(now, remote, local, &h))
		if !cookies.Valid(now, remote, local, &h) {
			t.Fatal("the cookie is not valid")
		}
	})
	if n != 0 {
		t.Errorf("%v allocations for a ClientHello, expected none", n)
	}
}

func BenchmarkChallenge(b *testing.B) {
	now := time.Now()
	cookies := hello.NewCookies(now)
	first, _ := newClient(b).hello()
	out := make([]byte, 0, 100)
	b.ReportAllocs()
	for b.Loop() {
		h, _ := hello.Parse(first)
		out = h.AppendVerifyRequest(out[:0], cookies.Make(now, remote, local, &h))
	}
}

// Whatever the octets, a ClientHello that is understood is so without its cookie, too, and is
// answered with less than it was long.
func FuzzParse(f *testing.F) {
	first, second := exchange(f, hello.NewCookies(time.Now()), time.Now())
	f.Add(first)
	f.Add(second)
	f.Add(first[:40])
	f.Add([]byte{record.Handshake, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		h, ok := hello.Parse(b)
		if !ok {
			return
		}
		h.Offer() // must not panic
		again, ok := hello.Parse(h.WithoutCookie())
		if !ok || len(again.Cookie) != 0 || again.Message != 0 || !bytes.Equal(again.Random, h.Random) {
			t.Errorf("without its cookie it is read as %+v", again)
		}
		if n := len(h.AppendVerifyRequest(nil, make([]byte, hello.CookieSize))); n > len(b) && len(b) >= 60 {
			t.Errorf("%d octets are answered with %d", len(b), n)
		}
		if r, rest, ok := record.Next(h.AppendVerifyRequest(nil, []byte("cookie")), 0); !ok || len(rest) != 0 || r.Sequence != h.Sequence {
			t.Errorf("the answer is read as %+v", r)
		}
	})
}
