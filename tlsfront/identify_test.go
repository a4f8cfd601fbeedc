package tlsfront

import (
	"crypto/x509"
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// RFC 6614bis §3.3.1: a wildcard is the whole leftmost label and stands for
// one label; letters of either case are the same.
//
// Rules: P105
func TestMatchName(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"ap1.campus.example", "ap1.campus.example", true},
		{"AP1.Campus.example", "ap1.cAMPUS.example", true},
		{"ap1.campus.example.", "ap1.campus.example", true},
		{"ap1.campus.example", "ap2.campus.example", false},
		{"*.campus.example", "ap1.campus.example", true},
		{"*.CAMPUS.example", "ap1.campus.EXAMPLE", true},
		{"*.campus.example", "campus.example", false},
		{"*.campus.example", ".campus.example", false},
		{"*.campus.example", "a.b.campus.example", false},
		{"*.campus.example", "ap1.evilcampus.example", false},
		{"*.campus.example", "ap1.campus.example.evil", false},
		{"ap1.campus.example", "*.campus.example", true}, // in the certificate
		{"ap1.campus.example.", "*.CAMPUS.example.", true},
		{"a.b.campus.example", "*.campus.example", false},
		{"campus.example", "*.campus.example", false},
		{".campus.example", "*.campus.example", false},
		{"ap1.other.example", "*.campus.example", false},
		{"campus.example", "*.example", false},
		{"example", "*", false},
		{"ap1.campus.example", "ap*.campus.example", false},
		{"ap1.campus.example", "*1.campus.example", false},
		{"ap1.campus.example", "ap1.*.example", false},
		{"ap1.x.campus.example", "*.*.campus.example", false},
		{"*.campus.example", "*.campus.example", true}, // in both
		{"*.campus.example", "*.b.campus.example", false},
		{"*.b.campus.example", "*.campus.example", false},
		{"*.campus.example", "ap*.campus.example", false},
		{"*.campus.example", "*", false},
		{"", "", false},
	} {
		if got := matchName(c.pattern, c.name); got != c.want {
			t.Errorf("pattern %q and name %q match: %v, want %v", c.pattern, c.name, got, c.want)
		}
	}
}

// RFC 6614bis §3.3.1, §3.4: all conditions of a client must hold, the first
// client counts, and several may share an address.
//
// Rules: P105, P107
func TestFirstClientWhoseConditionsAllHold(t *testing.T) {
	leaf := &x509.Certificate{DNSNames: []string{"x.example", "ap1.campus.example"}}
	p := &peer{source: netip.MustParseAddr("192.0.2.7"), leaf: leaf, fingerprint: [32]byte{9}}
	net1 := []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	net2 := []netip.Prefix{netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("198.51.100.0/24")}
	mine, other := [][32]byte{{1}, {9}}, [][32]byte{{1}}
	for _, c := range []struct {
		says    string
		clients []*Client
		want    string // empty: none
	}{
		{"no condition", []*Client{{Name: "a"}}, "a"},
		{"the first of two that match", []*Client{{Name: "a", Networks: net1}, {Name: "b"}}, "a"},
		{"the same address, told apart by certificate", []*Client{{Name: "a", Networks: net1, Fingerprints: other}, {Name: "b", Networks: net1, Fingerprints: mine}}, "b"},
		{"all three conditions hold", []*Client{{Name: "a", Networks: net1, Fingerprints: mine, SANDNS: []string{"*.campus.example"}}}, "a"},
		{"only the network fails", []*Client{{Name: "a", Networks: net2, Fingerprints: mine, SANDNS: []string{"*.campus.example"}}}, ""},
		{"only the fingerprint fails", []*Client{{Name: "a", Networks: net1, Fingerprints: other, SANDNS: []string{"*.campus.example"}}}, ""},
		{"only the name fails", []*Client{{Name: "a", Networks: net1, Fingerprints: mine, SANDNS: []string{"*.x.example"}}}, ""},
		{"nobody is configured", nil, ""},
	} {
		got := ""
		if found := listOf(c.clients...).find(p); found != nil {
			got = found.config.Name
		}
		if got != c.want {
			t.Errorf("%s: client %q, want %q", c.says, got, c.want)
		}
	}
	bare := &peer{source: p.source}
	if listOf(&Client{Name: "a", SANDNS: []string{"*.campus.example"}}).find(bare) != nil {
		t.Error("a peer without certificate passes for a client that is named by it")
	}
}

func listOf(cs ...*Client) (l clientList) {
	for _, c := range cs {
		l = append(l, &client{config: c})
	}
	return l
}

// However many clients are configured and however long their lists are, the
// explanation fits a log line.
func TestExplanationIsBounded(t *testing.T) {
	var cs []*Client
	for i := range 1000 {
		c := &Client{Name: fmt.Sprint("client", i)}
		for j := range 20 {
			c.SANDNS = append(c.SANDNS, fmt.Sprintf("%s%d.example", strings.Repeat("x", 300), j))
		}
		cs = append(cs, c)
	}
	text := listOf(cs...).explain(&peer{leaf: &x509.Certificate{}})
	if len(text) > 8<<10 {
		t.Errorf("the explanation has %d octets, want at most 8192", len(text))
	}
	if !strings.HasPrefix(text, "client0: no SAN dNSName matches xxx") || !strings.HasSuffix(text, "; and 992 more clients") {
		t.Errorf("the explanation reads %.80q … %q", text, text[len(text)-40:])
	}
}
