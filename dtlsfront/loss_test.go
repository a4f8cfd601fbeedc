package dtlsfront_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"radsec-gw/dtlsfront"
	"radsec-gw/dtlsfront/record"
)

// Each datagram of the handshake in turn is lost, doubled or late, in either direction, and
// the handshake is completed. One that the client sends last is answered with the end of the
// handshake again, by a session that pion knows nothing of.
// Rules: DT10
func TestEachDatagramOfTheHandshake(t *testing.T) {
	// With certificates, a client sends ClientHello, ClientHello, and a flight of its
	// certificate; the front HelloVerifyRequest, a flight of its certificate, and its Finished.
	const most = 5 // datagrams in a direction
	for _, fromClient := range []bool{true, false} {
		for n := range most {
			for kind, name := range map[fault]string{lost: "lost", doubled: "doubled", late: "late"} {
				sender := map[bool]string{true: "client", false: "front"}[fromClient]
				t.Run(fmt.Sprintf("%s %d %s", sender, n, name), func(t *testing.T) {
					t.Parallel()
					f := start(t)
					l := newLink(f, func(client bool, i int, _ []byte) fault {
						if client == fromClient && i == n {
							return kind
						}
						return pass
					})
					c := f.dial(l)
					l.clear()
					ask(t, c, packet(1, 100))
				})
			}
		}
	}
}

// Handshakes succeed while a fifth of all datagrams is lost, and others are doubled or late.
// Rules: DT10
func TestHandshakesWithManyFaults(t *testing.T) {
	for seed := range uint64(10) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			f := start(t)
			random := rand.New(rand.NewPCG(seed, 0))
			l := newLink(f, func(bool, int, []byte) fault {
				switch n := random.IntN(100); {
				case n < 20:
					return lost
				case n < 30:
					return doubled
				case n < 40:
					return late
				}
				return pass
			})
			c := f.dial(l)
			l.clear()
			ask(t, c, packet(1, 100))
		})
	}
}

// A client that does not get the end of the handshake sends its flight again, and gets it: the
// session has it, encrypted anew each time.
// Rules: DT8, DT10
func TestLastFlightIsLost(t *testing.T) {
	const losses = 3
	f, n := start(t), 0
	l := newLink(f, func(fromClient bool, _ int, d []byte) fault {
		if !fromClient && d[0] == record.ChangeCipherSpec && n < losses {
			n++
			return lost
		}
		return pass
	})
	ask(t, f.dial(l), packet(1, 100))
	expectCount(t, f, "the last flight is sent again", dtlsfront.LastFlightSentAgain, losses)
}
