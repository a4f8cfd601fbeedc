package identity

import (
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
)

const keyPSK = "a key of sixteen"

// pskClients are two clients with a PSK and one without.
func pskClients() Clients {
	return Clients{
		{Name: "near", Networks: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, PSKIdentity: "ap", PSK: []byte(keyPSK)},
		{Name: "far", Networks: []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")}, PSKIdentity: "ap", PSK: []byte("the key of another")},
		{Name: "anybody"},
	}
}

// An identity is looked up among the clients that may have the address only, byte by byte, whatever
// it consists of; a refusal shows no more of it than a line holds.
// Rules: P107, P118
func TestKeyOfAnIdentity(t *testing.T) {
	l := pskClients()
	for _, c := range []struct {
		source, identity, want string // "": refused
	}{
		{"192.0.2.7", "ap", keyPSK},
		{"198.51.100.7", "ap", "the key of another"},
		{"203.0.113.7", "ap", ""},
		{"192.0.2.7", "AP", ""},
		{"192.0.2.7", "ap\x00", ""},
		{"192.0.2.7", "", ""},
		{"192.0.2.7", "\xff\n\x1b[2J" + strings.Repeat("x", 60000), ""},
	} {
		key, r := l.PSK(netip.MustParseAddr(c.source), []byte(c.identity))
		if string(key) != c.want || (r == nil) != (c.want != "") {
			t.Errorf("%.20q from %s: key %q, refusal %v; expected %q", c.identity, c.source, key, r, c.want)
		}
		if r != nil && (r.Reason != ClientUnknown || len(r.Text) > 1200 || strings.ContainsAny(r.Text, "\n\x1b\x00")) {
			t.Errorf("%.20q: the refusal is %v, %.100q", c.identity, r.Reason, r.Text)
		}
	}
	for source, want := range map[string]bool{"192.0.2.7": true, "198.51.100.7": true, "203.0.113.7": false} {
		if got := l.HavePSK(netip.MustParseAddr(source)); got != want {
			t.Errorf("a client at %s may have a PSK: %v, expected %v", source, got, want)
		}
	}
}

// A peer with a PSK is the client that has it, with the same key, and no other; it needs no
// certificate although one is required. A peer without a PSK is never a client that has one.
// Rules: P107, P118, DT13
func TestPeerWithPSK(t *testing.T) {
	v, err := NewVerifier(&Config{Auth: RequireCertificate, ClientCA: []*x509.Certificate{newPKI(t).ca.Certificate}, Clients: pskClients()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		source, identity, key string
		want                  string // name of the client, or a part of the refusal
	}{
		{"192.0.2.7", "ap", keyPSK, "near"},
		{"198.51.100.7", "ap", "the key of another", "far"},
		{"192.0.2.7", "ap", "the key of another", "near: the key is not the one that is configured now; far: source"},
		{"192.0.2.7", "ap2", keyPSK, `near: PSK identity is not "ap"`},
		{"203.0.113.7", "ap", keyPSK, "anybody: its peers have a certificate, not a PSK"},
	} {
		p := NewPSKPeer(netip.MustParseAddr(c.source), PSK{c.identity, sha256.Sum256([]byte(c.key))})
		i, until, r := v.Assess(p, nil, time.Now())
		switch {
		case r == nil && (v.clients[i].Name != c.want || !until.IsZero()):
			t.Errorf("%v: the client is %s until %v, expected %s", c, v.clients[i].Name, until, c.want)
		case r != nil && !strings.Contains(r.Text, c.want):
			t.Errorf("%v: the refusal is %q, expected %q", c, r.Text, c.want)
		}
	}
	bare := &Peer{Source: netip.MustParseAddr("192.0.2.7")}
	if i := v.clients.find(bare); i < 0 || v.clients[i].Name != "anybody" {
		t.Errorf("a peer with neither is client %d, expected anybody", i)
	}
	if text := v.clients[:1].explain(bare); text != "near: the peer used no PSK" {
		t.Errorf("the reason is %q", text)
	}
	if text := fmt.Sprintf("%+v %x %s", v.clients[0], v.clients[0].PSK, v.clients[0].PSK); strings.Contains(text, keyPSK) || strings.Contains(text, fmt.Sprintf("%x", keyPSK)) || strings.Contains(text, fmt.Sprint([]byte(keyPSK))) {
		t.Errorf("a client is printed with its key: %s", text)
	}
	for _, c := range []Client{{Name: "a", PSKIdentity: "ap"}, {Name: "a", PSKIdentity: "ap", PSK: []byte(keyPSK), SANDNS: []string{"ap"}}} {
		if err := c.Validate(); err == nil {
			t.Errorf("%+v is valid", c)
		}
	}
}
