package udpback

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/udpback/health"
	"radsec-gw/wire"
)

// Servers are numbered from 1 by name, each once; when all numbers are given out, the
// rest is not remembered.
// Rules: P66
func TestNumbers(t *testing.T) {
	var s issuers
	const most = 1<<16 - 1
	for i := range most {
		if got := s.number(fmt.Sprint("server", i)); int(got) != i+1 {
			t.Fatalf("server %d has number %d, expected %d", i, got, i+1)
		}
		if got := s.number(fmt.Sprint("server", i/2)); int(got) != i/2+1 {
			t.Fatalf("server %d has number %d when asked again, expected %d", i/2, got, i/2+1)
		}
	}
	if got := s.number("one too many"); got != 0 {
		t.Errorf("the %dth server has number %d, expected 0: none", most+1, got)
	}
	for _, i := range []int{0, 7, most - 1} {
		if got := s.number(fmt.Sprint("server", i)); int(got) != i+1 {
			t.Errorf("server %d has number %d when asked again, expected %d", i, got, i+1)
		}
	}
}

// Who issued a State is remembered until another State overwrites the entry, and no
// other State is taken for it.
// Rules: P66
func TestIssuer(t *testing.T) {
	var s issuers
	const hash = 0x1234_5678_9abc_def1
	if got := s.find(hash); got != 0 {
		t.Errorf("before any State, the issuer is %d, expected 0", got)
	}
	s.remember(hash, 3)
	s.remember(hash+2, 4)       // the entry beside it
	s.remember(hash-2, 1<<16-1) // the entry before it
	for h, want := range map[uint64]uint16{
		hash: 3, hash + 2: 4, hash - 2: 1<<16 - 1,
		hash + 4:        0, // never noted
		hash ^ 1<<63:    0, // the same entry, another State
		hash ^ 1<<17:    0,
		hash ^ 1<<16:    0,
		hash ^ 1<<16<<4: 0,
	} {
		if got := s.find(h); got != want {
			t.Errorf("the issuer of State %x is %d, expected %d", h, got, want)
		}
	}
	s.remember(hash, 5)
	if got := s.find(hash); got != 5 {
		t.Errorf("issued again by another, the issuer is %d, expected 5", got)
	}
	s.remember(hash^1<<63, 6) // overwrites it
	if got, other := s.find(hash), s.find(hash^1<<63); got != 0 || other != 6 {
		t.Errorf("overwritten, the issuers are %d and %d, expected 0 and 6", got, other)
	}
	s.remember(0, 7)
	s.remember(1<<17-1, 8) // the last entry
	if a, b := s.find(0), s.find(1<<17-1); a != 7 || b != 8 {
		t.Errorf("the first and last entries hold %d and %d, expected 7 and 8", a, b)
	}
}

// A request with State does not wait for the server that issued it when that one is
// known to be down: it goes to another at once, which may begin a new conversation.
// Rules: P66
func TestStateOfAServerThatIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a, b := f.server(t, "a", checked), f.server(t, "b", checked)
		defer a.Close()
		defer b.Close()
		f.net.answering(t, "b")
		g := f.group(t, Failover, a, b)
		g.rememberIssuer(&Exchange{progress: progress{ep: a.endpoint(wire.KindAccess)}}, []byte("state"))
		pass(time.Minute) // checks have found it out
		if s := a.endpoint(wire.KindAccess).health.State(); s != health.Down {
			t.Fatalf("a is %v, expected down: it answers nothing", s)
		}
		o := newOwner(radius.CodeAccessRequest)
		o.HasState, o.StateHash = true, Hash([]byte("state"))
		before := time.Now()
		f.start(t, g, o)
		<-o.ended
		if took := time.Since(before); o.outcome() != accepted || took > 100*time.Millisecond {
			t.Errorf("%s after %v, expected b's Access-Accept at once", o.outcome(), took)
		}
		if server, _, sends := o.Served(); server != "b" || sends != 1 {
			t.Errorf("sent %d times, last to %s; expected once, to b", sends, server)
		}
	})
}
