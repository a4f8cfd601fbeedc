package rules

import (
	"strings"
	"testing"

	"radsec-gw/wire"
)

// tenRules returns a chain of ten simple rules.
func tenRules(t testing.TB) *Chain {
	var programs []*Program
	for _, r := range []*Rule{
		{Remove: items("Operator-Name")},
		{Set: assign("NAS-Identifier", "{client.name}")},
		{Default: assign("Service-Type", "Framed-User")},
		{Add: assign("Cisco-AVPair", "client={client.name}")},
		{Remove: items("14823:*")},
		{Replace: []Replacement{{"k", "User-Name", `^(.*)@old\.example$`, "$1@new.example"}}},
		{Remove: items("Filter-Id", "Session-Timeout")},
		{Set: assign("NAS-IP-Address", "{client.address}")},
		{Default: assign("NAS-Port-Type", "19")},
		{Remove: items("Reply-Message")},
	} {
		programs = append(programs, compiled(t, r))
	}
	return NewChain(programs...)
}

// login returns an ordinary Access-Request with EAP.
func login(t testing.TB) *wire.View {
	return packet(t, 1, attr(80, strings.Repeat("m", 16)), attr(1, "bob@old.example"), attr(4, "\x0a\x00\x00\x01"), attr(32, "ap"),
		attr(30, "00-11-22-33-44-55:eduroam"), attr(31, "66-77-88-99-aa-bb"), attr(61, "\x00\x00\x00\x13"), attr(12, "\x00\x00\x05\x78"),
		attr(126, "1example.org"), vsa(14823, 5, "ssid", 6, "ap"), attr(24, "state-of-16-octet"), attr(79, strings.Repeat("e", 60)))
}

// Ten simple rules take about a microsecond.
//
// Rules: AR10
func BenchmarkTenRules(b *testing.B) {
	c, v, e := tenRules(b), login(b), NewEditor()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Apply(e, v, wire.KindAccess, facts, wire.Sealer{}); err != nil {
			b.Fatal(err)
		}
	}
}
