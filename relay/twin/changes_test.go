package twin_test

import (
	"fmt"
	"strings"
	"testing"

	"radsec-gw/relay/twin"
)

// change is a rule that the gateway did not follow before, with the shortest
// conversation that shows it.
type change struct {
	name string
	bed  int
	v11  bool
	play func(s *session)
}

const (
	oneServer = iota
	twoServers
	nas
)

var changes = []change{
	{"an Accounting-Response has no Message-Authenticator", oneServer, false,
		func(s *session) { s.ask(ask(4, mac, text(1, "nemo"))); s.answerAll(plain) }},
	{"Response-Length is stripped", oneServer, false,
		func(s *session) { s.ask(ask(1, mac, attr(241, 3, 0, 0, 16, 0))); s.answerAll(plain) }},
	{"on 1.1 Message-Authentication-Code and MAC-Randomizer are stripped", oneServer, true,
		func(s *session) {
			s.ask(ask(1, vsa(9, inner(9, 17, []byte("random"), 0), inner(9, 2, []byte("x"), 0)), vsa(9, inner(9, 18, []byte("code"), 0))))
			s.answerAll(plain)
		}},
	{"on 1.1 a key that is not in hidden form is omitted, and the Access-Accept passes", oneServer, true,
		func(s *session) {
			s.ask(ask(1))
			s.answerAll(func(f *flight) []byte { return signed(f, 2, mac, attr(69, 1, 2, 3, 4), text(18, "hello")) })
		}},
	{"on 1.1 an empty container of TLVs passes", oneServer, true,
		func(s *session) {
			s.ask(ask(1, vsa(41112, inner(41112, 5, nil, 0))))
			s.answerAll(func(f *flight) []byte { return signed(f, 2, mac, vsa(24757, inner(24757, 86, nil, 0))) })
		}},
	{"a hidden Vendor-Specific that does not fit does not go from 1.1 to UDP", oneServer, true,
		func(s *session) { s.ask(ask(1, vsa(311, []byte{16, 99, 1, 2, 3}))); s.answerAll(plain) }},
	{"leap:session-key= is re-encrypted", oneServer, false,
		func(s *session) {
			s.ask(ask(1, mac))
			s.answerAll(func(f *flight) []byte {
				key := twin.Salted.Hide([]byte("0123456789abcdef"), 0, [2]byte{0x80, 1}, twin.Hop{Secret: f.from.server.secret, Vector: [16]byte(f.sent[4:20])})
				return signed(f, 2, mac, vsa(9, inner(9, 1, append([]byte("leap:session-key="), key...), 0)))
			})
		}},
	{"a Protocol-Error keeps its Error-Cause", oneServer, false,
		func(s *session) {
			s.ask(ask(1, mac))
			s.answerAll(func(f *flight) []byte { return signed(f, 52, mac, integer(101, 601)) })
		}},
	{"on 1.1 what cannot be carried on gets a Protocol-Error with 502 or 505", oneServer, true,
		func(s *session) { s.ask(ask(1, attr(3, make([]byte, 17)...))); s.answerAll(plain) }},
	{"accounting gets a Protocol-Error where its route says so", twoServers, false,
		func(s *session) { s.ask(ask(4, text(1, "nemo@nowhere.example"))); s.answerAll(plain) }},
	{"Error-Cause 506 sends the request to the next server", twoServers, false,
		func(s *session) {
			s.ask(ask(1, mac))
			s.answerAll(func(f *flight) []byte { return signed(f, 52, mac, integer(101, 506)) })
		}},
	{"on 1.1 a long User-Password does not cost accounting", oneServer, true,
		func(s *session) { s.ask(ask(4, attr(2, make([]byte, 129)...))); s.answerAll(plain) }},
	{"a fragment of WiMAX has nothing else in its Vendor-Specific", oneServer, true,
		func(s *session) {
			s.ask(ask(1, vsa(24757, inner(24757, 5, make([]byte, 240), 0), inner(24757, 1, nil, 0))))
			s.answerAll(plain)
		}},
	{"a request of 1.1 is not too long that fits without what is omitted or joined", oneServer, true,
		func(s *session) {
			list := []twin.Attr{attr(79), attr(2, make([]byte, 129)...)} // beside EAP a password is omitted
			for range 15 {
				list = append(list, attr(200, make([]byte, 253)...))
			}
			s.ask(ask(1, append(list, attr(200, make([]byte, 110)...))...))
			s.answerAll(plain)
		}},
	{"accounting carries no EAP-Message", oneServer, true,
		func(s *session) { s.ask(ask(4, attr(79, 2, 9, 0, 4))); s.answerAll(plain) }},
	{"a WiMAX key in parts is joined across what lies between", oneServer, true,
		func(s *session) {
			s.ask(ask(1, vsa(24757, inner(24757, 5, []byte("first"), 0x80)), attr(200, 1), vsa(24757, inner(24757, 1, nil, 0), inner(24757, 5, []byte("second"), 0))))
			s.answerAll(plain)
		}},
	{"on 1.1 only the TLV of a container is omitted that cannot be read", oneServer, true,
		func(s *session) {
			s.ask(ask(1))
			s.answerAll(func(f *flight) []byte {
				return signed(f, 3, mac, vsa(41112, inner(41112, 5, []byte{2, 3, 9, 1, 3, 7}, 0)))
			})
		}},
	{"a request that has been here is refused", twoServers, false, func(s *session) {
		s.ask(ask(1, mac))
		s.answerAll(plain)
		mark := s.flights[0].sent
		again := ask(1, attr(33, 1), attr(33, mark[len(mark)-20:]...), mac)
		again[1]++
		s.ask(again)
		if len(s.flights) != 1 {
			s.t.Fatalf("the request was forwarded again")
		}
	}},
	{"a marker in the way of a request goes on before the own", twoServers, true, func(s *session) {
		s.ask(ask(4, text(33, "radsecgw0123456789ab"), text(33, "radsecgw0123456789abc")))
		s.answerAll(plain)
	}},
	{"a request has passed as many gateways as fit", nas, true, func(s *session) {
		s.ask(ask(43, text(33, "radsecgw"+strings.Repeat("0123456789ab", 19))))
		s.answerAll(plain)
		s.ask(ask(43, text(33, "radsecgw"+strings.Repeat("0123456789ab", 20))))
	}},
	{"a CoA of 1.1 gets a Message-Authenticator", oneServer, true, func(s *session) {
		s.ask(ask(43, text(1, "nemo")), ask(40, mac, mac))
		s.answerAll(plain)
	}},
	{"a NAS gets its name and no proxy's", nas, false, func(s *session) {
		s.ask(ask(43, text(126, "1example.org"), text(241, "\x08nas-1")))
		s.answerAll(plain)
	}},
}

var mac = attr(80, make([]byte, 16)...)

// ask returns a client's request, signed as in RADIUS/1.0.
func ask(code byte, list ...twin.Attr) []byte {
	ra := [16]byte{0: 0x10, 7: 0x20, 15: 0x30}
	p := twin.Assemble(code, 7, ra, list)
	if code != 1 && code != 12 {
		ra = [16]byte{}
	}
	twin.Sign(p, ra, code != 1 && code != 12, clientText)
	return p
}

// trial is a testing.TB that records the failure.
type trial struct {
	testing.TB
	failure error
}

func (t *trial) Helper() {}

func (t *trial) Fatalf(format string, args ...any) {
	t.failure = fmt.Errorf(format, args...)
	panic(t)
}

// try runs a change's conversation, and returns what differs.
func (c *change) try() (problem error) {
	t := new(trial)
	s := open(t, testbeds()[c.bed], c.v11)
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

// Each rule that the gateway did not follow before.
// Rules: C5, P8, P31, P33, P39, P42, P89, P90, P97, P99, P122, P125, P127, P128, P129
func TestTwinChanges(t *testing.T) {
	for _, c := range changes {
		if problem := c.try(); problem != nil {
			t.Errorf("%s: %v", c.name, problem)
		}
	}
}
