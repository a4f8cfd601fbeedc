//go:build !race && !lockorder

package dynauth

import (
	"testing"

	"layeh.com/radius"
)

// A request whose NAS is connected here costs nothing more with other gateways.
//
// Rules: GW3
func TestLocalRequestsAreFree(t *testing.T) {
	b, f := withOthers(t)
	l := b.open("a")
	for range 2 {
		l.login(nasID("ap"), session("s"))
	}
	v := view(t, must(packet(radius.CodeDisconnectRequest, 1, senderSecret, nasID("ap"), session("s")).Encode()))
	req := &request{view: *v, from: origin{address: senderAddress, local: gatewayAddr}}
	login := view(t, must(packet(radius.CodeAccessRequest, 1, "radsec", nasID("ap")).Encode()))
	f.here()
	if n := testing.AllocsPerRun(100, func() {
		b.w.names.read(&req.view)
		c := b.s.choose(req, &b.w.names)
		if c.link == nil || b.s.ask(req, &b.w.names, &c) {
			t.Fatal("it is not sent down")
		}
	}); n != 0 {
		t.Errorf("choosing allocates %v times", n)
	}
	nas := l.Arrived(login, b.s.now())
	if n := testing.AllocsPerRun(100, func() {
		l.lastHash++ // as if it had named itself otherwise meanwhile
		l.Arrived(login, b.s.now())
		l.Renamed(nas, login, b.s.now())
	}); n != 0 {
		t.Errorf("a known NAS allocates %v times", n)
	}
	if names := f.here(); len(names) > 0 {
		t.Errorf("the others are told what they know: %v", names)
	}
}
