package rewriting

import (
	"testing"

	"layeh.com/radius"

	"radsec-gw/interop/testbed"
)

func TestMain(m *testing.M) {
	testbed.Main(func(string) (int, error) {
		if err := testbed.NeedPrograms("radsecproxy"); err != nil {
			return 1, err
		}
		return m.Run(), nil
	})
}

// program is one of the two.
type program interface {
	ask(t *testing.T, i int, attributes radius.Attributes) *radius.Packet
}

// The gateway and radsecproxy make the same packet of the same one, octet by octet, in each
// case, or the case says why not.
// AR1, AR2, AR5, AR7, AR9.
func TestLikeRadsecproxy(t *testing.T) {
	s := startServer(t, "udp-Secret-6")
	theirs, ours := startRadsecproxy(t, cases, s), startGateway(t, cases, s)
	same, different := 0, 0
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a, b := c.ends, c.through(t, ours, i, s)
			if c.ends == "" {
				a = c.through(t, theirs, i, s)
			}
			if b != c.want {
				t.Errorf("the gateway makes\n %s\nexpected\n %s", b, c.want)
			}
			switch {
			case a == b && c.because != "":
				t.Errorf("radsecproxy makes the same, expected a difference: %s", c.because)
			case a != b && c.because+c.ends == "":
				t.Errorf("radsecproxy makes\n %s\nthe gateway\n %s\nand the case does not say why", a, b)
			case a == b:
				same++
			default:
				different++
				t.Logf("radsecproxy makes\n %s\nthe gateway\n %s\nbecause %s", a, b, c.because+c.ends)
			}
		})
	}
	t.Logf("%d cases: the same packet in %d, a different one in %d", len(cases), same, different)
}

// through returns what a program makes of the packet of the case: of the request at the
// server, or of the reply at the client.
func (c *rewriting) through(t *testing.T, p program, i int, s *server) string {
	t.Helper()
	s.reply <- c.reply
	reply := p.ask(t, i, c.request)
	select {
	case <-s.reply: // the request has not reached the server
		return "refused"
	default:
	}
	got := s.next(patience)
	switch {
	case got == nil:
		return "nothing"
	case c.reply == nil:
		return shown(got.Attributes)
	case reply == nil:
		return "no reply"
	}
	return shown(reply.Attributes)
}
