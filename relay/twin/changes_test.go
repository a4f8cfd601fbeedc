package twin_test

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"testing"

	"radsec-gw/relay/twin"
)

// change is a rule of which a gateway is known to do, or to have done, something
// else, with the shortest conversation that shows it.
type change struct {
	name  string
	older func(*twin.Options) // makes the twin do that
	// either says that the gateway may still do so: the twin then does what the
	// gateway is found to do. A rule that is in force has no business with it.
	either bool
	bed    int
	v11    bool
	play   func(s *session)
}

const (
	oneServer = iota
	twoServers
	silence
)

// changes is the list. None of its entries may stay open for longer than its
// change needs to be merged, but for those that are a matter of taste.
var changes = []change{
	{"an Accounting-Response has no Message-Authenticator", func(o *twin.Options) { o.AccountingMAC = true }, true, oneServer, false,
		func(s *session) { s.ask(ask(4, mac, text(1, "nemo"))); s.answerAll(plain) }},
	{"Response-Length is stripped", func(o *twin.Options) { o.KeepResponseLength = true }, true, oneServer, false,
		func(s *session) { s.ask(ask(1, mac, attr(241, 3, 0, 0, 16, 0))); s.answerAll(plain) }},
	{"on 1.1 Message-Authentication-Code and MAC-Randomizer are stripped", func(o *twin.Options) { o.KeepMAC11 = true }, true, oneServer, true,
		func(s *session) {
			s.ask(ask(1, vsa(9, inner(9, 17, []byte("random"), 0), inner(9, 2, []byte("x"), 0)), vsa(9, inner(9, 18, []byte("code"), 0))))
			s.answerAll(plain)
		}},
	{"on 1.1 a key that is not in hidden form is left out, and the Access-Accept passes", func(o *twin.Options) { o.UnhiddenIsFatal = true }, true, oneServer, true,
		func(s *session) {
			s.ask(ask(1))
			s.answerAll(func(f *flight) []byte { return signed(f, 2, mac, attr(69, 1, 2, 3, 4), text(18, "hello")) })
		}},
	{"on 1.1 an empty container of TLVs passes", func(o *twin.Options) { o.EmptyIsUnreadable = true }, true, oneServer, true,
		func(s *session) {
			s.ask(ask(1, vsa(41112, inner(41112, 5, nil, 0))))
			s.answerAll(func(f *flight) []byte { return signed(f, 2, mac, vsa(24757, inner(24757, 86, nil, 0))) })
		}},
	{"a hidden Vendor-Specific that does not fit does not go from 1.1 to UDP", func(o *twin.Options) { o.CopyUnfit = true }, true, oneServer, true,
		func(s *session) { s.ask(ask(1, vsa(311, []byte{16, 99, 1, 2, 3}))); s.answerAll(plain) }},
	{"leap:session-key= is re-encrypted", func(o *twin.Options) { o.CopyLeap = true }, true, oneServer, false,
		func(s *session) {
			s.ask(ask(1, mac))
			s.answerAll(func(f *flight) []byte {
				key := twin.Salted.Hide([]byte("0123456789abcdef"), 0, [2]byte{0x80, 1}, twin.Hop{Secret: f.from.server.secret, Vector: [16]byte(f.sent[4:20])})
				return signed(f, 2, mac, vsa(9, inner(9, 1, append([]byte("leap:session-key="), key...), 0)))
			})
		}},
	{"a Protocol-Error keeps its Error-Cause", func(o *twin.Options) { o.NarrowCauses = true }, true, oneServer, false,
		func(s *session) {
			s.ask(ask(1, mac))
			s.answerAll(func(f *flight) []byte { return signed(f, 52, mac, integer(101, 601)) })
		}},
	{"on 1.1 what cannot be carried on gets a Protocol-Error with 502 or 505", func(o *twin.Options) { o.Reject11 = true }, true, oneServer, true,
		func(s *session) { s.ask(ask(1, attr(3, make([]byte, 17)...))); s.answerAll(plain) }},
	{"accounting gets a Protocol-Error where its route says so", func(o *twin.Options) { o.SilentAccounting = true }, true, twoServers, false,
		func(s *session) { s.ask(ask(4, text(1, "nemo@nowhere.example"))); s.answerAll(plain) }},
	{"Error-Cause 506 sends the request to the next server", func(o *twin.Options) { o.Return506 = true }, true, twoServers, false,
		func(s *session) {
			s.ask(ask(1, mac))
			s.answerAll(func(f *flight) []byte { return signed(f, 52, mac, integer(101, 506)) })
		}},
	{"on 1.1 a long User-Password does not cost accounting", func(o *twin.Options) { o.PasswordOfOthers = true }, true, oneServer, true,
		func(s *session) { s.ask(ask(4, attr(2, make([]byte, 129)...))); s.answerAll(plain) }},
	{"a fragment of WiMAX has nothing else in its Vendor-Specific", func(o *twin.Options) { o.SplitGoesOn = true }, true, oneServer, true,
		func(s *session) {
			s.ask(ask(1, vsa(24757, inner(24757, 5, make([]byte, 240), 0), inner(24757, 1, nil, 0))))
			s.answerAll(plain)
		}},
	{"a request of 1.1 is not too long that fits without what is left out or joined", func(o *twin.Options) { o.CountLeftOut = true }, true, oneServer, true,
		func(s *session) {
			list := []twin.Attr{attr(79), attr(2, make([]byte, 129)...)} // beside EAP a password goes nowhere
			for range 15 {
				list = append(list, attr(200, make([]byte, 253)...))
			}
			s.ask(ask(1, append(list, attr(200, make([]byte, 110)...))...))
			s.answerAll(plain)
		}},
	{"accounting carries no EAP-Message", func(o *twin.Options) { o.AccountingEAP = true }, true, oneServer, true,
		func(s *session) { s.ask(ask(4, attr(79, 2, 9, 0, 4))); s.answerAll(plain) }},
	{"a WiMAX key in parts is joined across what lies between", func(o *twin.Options) { o.PartsAdjacent = true }, true, oneServer, true,
		func(s *session) {
			s.ask(ask(1, vsa(24757, inner(24757, 5, []byte("first"), 0x80)), attr(200, 1), vsa(24757, inner(24757, 1, nil, 0), inner(24757, 5, []byte("second"), 0))))
			s.answerAll(plain)
		}},
	{"taste: on 1.1 a container is left out whole when one TLV cannot be read", func(o *twin.Options) { o.TLVAlone = true }, true, oneServer, true,
		func(s *session) {
			s.ask(ask(1))
			s.answerAll(func(f *flight) []byte {
				return signed(f, 3, mac, vsa(41112, inner(41112, 5, []byte{2, 3, 9, 1, 3, 7}, 0)))
			})
		}},
}

var mac = attr(80, make([]byte, 16)...)

// ask makes a client's request, signed as RADIUS/1.0 has it.
func ask(code byte, list ...twin.Attr) []byte {
	ra := [16]byte{0: 0x10, 7: 0x20, 15: 0x30}
	p := twin.Assemble(code, 7, ra, list)
	if code != 1 && code != 12 {
		ra = [16]byte{}
	}
	twin.Sign(p, ra, code != 1 && code != 12, clientText)
	return p
}

// trial is a testing.TB that keeps the failure to itself.
type trial struct {
	testing.TB
	failure error
}

func (t *trial) Helper() {}

func (t *trial) Fatalf(format string, args ...any) {
	t.failure = fmt.Errorf(format, args...)
	panic(t)
}

// try plays a change's conversation with the twin's options, and returns what differs.
func (c *change) try(o twin.Options) (problem error) {
	t := new(trial)
	s := open(t, beds()[c.bed], c.v11, o)
	defer s.close()
	defer func() {
		if r := recover(); r != nil && r != any(t) {
			panic(r)
		}
		problem = t.failure
	}()
	c.play(s)
	return nil
}

// marker returns the Proxy-State that a bed's gateway adds of its own, as an
// attribute; empty: it adds none (P31, P33).
func marker(b *bed) []byte {
	b.marked.Do(func() {
		link := b.gateway.Open(b.client, new(peer), netip.MustParseAddrPort("192.0.2.201:1024"))
		q := ask(4)
		if err := errors.Join(link.Packet(q), link.Flush()); err != nil {
			panic(err)
		}
		defer link.Closed()
		d := b.arrivals()[0]
		d.from.reply(plain(&flight{req: q, sent: d.octets, from: d.from}))
		b.marker = d.octets[20:]
	})
	return b.marker
}

// options is what the twin is to do: what is right, but for changes that are open
// and not made yet.
var options = sync.OnceValue(func() (o twin.Options) {
	for _, c := range changes {
		if c.either && c.try(o) != nil {
			c.older(&o)
		}
	}
	return o
})

// Each change is as the twin has it, or, where that is still open, as it was before.
// Rules: C5, P8, P39, P42, P97, P99, P122, P125, P127, P128
func TestTwinChanges(t *testing.T) {
	var o twin.Options
	for _, c := range changes {
		right, older := o, o
		c.older(&older)
		problem := c.try(right)
		switch {
		case problem == nil && c.either:
			t.Logf("%s: so it is; the entry can be closed", c.name)
		case problem != nil && !c.either:
			t.Errorf("%s: %v", c.name, problem)
		case problem != nil:
			if err := c.try(older); err != nil {
				t.Errorf("%s: neither so nor as before: %v", c.name, errors.Join(problem, err))
			}
			t.Logf("%s: not yet", c.name)
			o = older
		}
	}
}
