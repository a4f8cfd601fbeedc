package relay

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/udpback"
	"radsec-gw/wire"
)

// chance is a random run: its links, their requests, and the requests that the server has not
// answered.
type chance struct {
	*bed
	rnd     *rand.Rand
	serial  int
	live    []*chancer
	pending []datagram // not answered yet
}

// chancer is one link, with the requests that its client may get answers to.
type chancer struct {
	name  string
	link  *Connection
	peer  *peer
	asked map[[2]byte][][]byte // by code and Identifier: every request, the last at the end
}

// Thousands of random events: requests, duplicates, reuse of Identifiers, good, forged, late
// and duplicate replies, connections that end, time that passes. Every packet has exactly one
// fate (the bed checks it), no answer is sent on another connection than its request's, and no
// memory or Identifier stays in use.
// Rules: P16, P21, P22, P26, P29, P30, P59, P60, P61, P64, P69, P71
func TestRandomEvents(t *testing.T) {
	const turns = 4000
	for run := range 4 {
		seed, second := rand.Uint64(), ""
		if run%2 == 1 {
			second = serverText // requests move from a silent server to the other
		}
		t.Run(fmt.Sprintf("seed %d, second server %t", seed, second != ""), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &chance{rnd: rand.New(rand.NewPCG(seed, 1)), bed: newBed(t, settings{policy: strict, secondSecret: second,
					server: udpback.ServerConfig{MaxSockets: 2, Schedule: udpback.Schedule{Initial: time.Second, Count: 4, Duration: 12 * time.Second}}})}
				for range turns {
					c.turn()
				}
				c.settle()
			})
		})
	}
}

func (c *chance) turn() {
	for len(c.live) < 4 {
		c.join()
	}
	m := c.live[c.rnd.IntN(len(c.live))]
	switch n := c.rnd.IntN(100); {
	case n < 40:
		c.ask(m)
	case n < 48:
		c.askAgain(m)
	case n < 85:
		c.answer()
	case n < 97:
		pass(time.Duration(c.rnd.IntN(1500)) * time.Millisecond)
	case n < 99:
		c.burst(m)
	default:
		c.leave(m)
	}
	c.pending = append(c.pending, c.net.seen()...)
	for _, m := range c.live {
		c.check(m)
	}
}

func (c *chance) join() {
	conn, p := c.open()
	c.live = append(c.live, &chancer{name: fmt.Sprintf("link-%d", c.serial), link: conn, peer: p, asked: map[[2]byte][][]byte{}})
	c.serial++
}

func (c *chance) leave(m *chancer) {
	m.link.Closed()
	synctest.Wait()
	c.check(m)
	for i := range c.live {
		if c.live[i] == m {
			c.live = append(c.live[:i], c.live[i+1:]...)
			return
		}
	}
}

// make makes a unique request that names its link. There are few Identifiers, so that they are
// reused often.
func (c *chance) make(m *chancer) []byte {
	c.serial++
	code := []radius.Code{1, 1, 1, 4, 4, 40, 43, 12}[c.rnd.IntN(8)]
	realm := "example.org"
	if c.rnd.IntN(20) == 0 {
		realm = "elsewhere.example"
	}
	attrs := []attr{user(fmt.Sprintf("%d@%s", c.serial, realm)), text(32, m.name), mac, proxyState(m.name)}
	return makeRequest(code, byte(c.rnd.IntN(6)), c.serial, attrs...)
}

func (c *chance) ask(m *chancer) {
	q := c.make(m)
	m.note(q)
	if err := c.send(m.link, q); err != nil {
		c.t.Fatalf("a good packet was refused: %v", err)
	}
}

func (m *chancer) note(q []byte) {
	key := [2]byte{q[0], q[1]}
	m.asked[key] = append(m.asked[key], q)
}

// burst sends several packets before the Flush.
func (c *chance) burst(m *chancer) {
	for range 1 + c.rnd.IntN(100) {
		q := c.make(m)
		m.note(q)
		if err := c.put(m.link, q); err != nil {
			c.t.Fatalf("a good packet was refused: %v", err)
		}
	}
	m.link.Flush()
	synctest.Wait()
}

// askAgain repeats a request, mostly the last with its Identifier.
func (c *chance) askAgain(m *chancer) {
	for _, list := range m.asked {
		q := list[len(list)-1]
		m.note(q)
		c.send(m.link, q)
		return
	}
}

// answer makes the server answer a request, well or badly, perhaps again.
func (c *chance) answer() {
	if len(c.pending) == 0 {
		return
	}
	i := c.rnd.IntN(len(c.pending))
	d := c.pending[i]
	if c.rnd.IntN(8) > 0 { // else it may be answered once more, and late
		c.pending = append(c.pending[:i], c.pending[i+1:]...)
	}
	code := map[byte][]radius.Code{1: {2, 3, 11, 52}, 4: {5, 52}, 40: {41, 42, 52}, 43: {44, 45, 52}}[d.octets[0]]
	r := respond(d.octets, code[c.rnd.IntN(len(code))], mac, attr{18, values(d.octets, 1)[0]}, attr{32, values(d.octets, 32)[0]})
	switch c.rnd.IntN(10) {
	case 0:
		r[4+c.rnd.IntN(len(r)-4)] ^= 0x10 // forged
	case 1:
		r[1]++ // of another request, as it seems
	case 2:
		r = respondUnder("another secret", d.octets, radius.Code(r[0]), mac)
	case 3:
		r = r[:c.rnd.IntN(len(r))]
	}
	d.from.in <- r
	synctest.Wait()
}

// check checks everything that a link's client was sent.
func (c *chance) check(m *chancer) {
	for _, a := range m.peer.got() {
		question := c.questionOf(m, a)
		if question == nil {
			c.t.Fatalf("%s got %v with Identifier %d, which answers none of its requests", m.name, radius.Code(a[0]), a[1])
		}
		checkAnswer(c.t, question, a, radius.Code(a[0]))
		own := len(values(a, 32)) == 0 // the gateway's answers echo no NAS-Identifier
		if !own && (joined(a, 32) != m.name || joined(a, 18) != joined(question, 1)) {
			c.t.Fatalf("%s got the answer of %q to %q", m.name, joined(a, 32), joined(a, 18))
		}
		if own && (a[0] == 2 && question[0] != 12 || a[0] == 5 || a[0] == 41 || a[0] == 44) {
			c.t.Fatalf("%s got %v without a server", m.name, radius.Code(a[0]))
		}
	}
}

// questionOf finds the request that an answer is signed for.
func (c *chance) questionOf(m *chancer, a []byte) []byte {
	for key, list := range m.asked {
		if key[1] != a[1] || !wire.Answers(radius.Code(key[0]), radius.Code(a[0])) {
			continue
		}
		for _, q := range list {
			if radius.IsAuthenticResponse(a, q, []byte(clientText)) {
				return q
			}
		}
	}
	return nil
}

// settle waits until every schedule has ended, and checks that nothing remains.
func (c *chance) settle() {
	pass(time.Minute)
	for _, m := range c.live {
		c.check(m)
	}
	if n := c.sum("radsec_gw_server_outstanding_requests"); n != 0 {
		c.t.Errorf("%v Identifiers are taken after every schedule has ended", n)
	}
	if n := int(c.sum("radsec_gw_requests_total")); n != c.packets {
		c.t.Errorf("%d fates for %d packets before the links close", n, c.packets)
	}
	if n := c.relay.kept.Load(); n != 0 {
		c.t.Errorf("%d octets of answers are kept after their time", n)
	}
	for _, fate := range []string{"relayed", "superseded", "duplicate_dropped", "duplicate_answered", "client_gone", "server_silent", "no_route", "protocol_error"} {
		if !strings.Contains(c.fates(), fate) {
			c.t.Errorf("no packet was %s in this run, which tests nothing then: %s", fate, c.fates())
		}
	}
	if bytes.Contains(c.log.Bytes(), []byte("panic")) {
		c.t.Error(c.log.String())
	}
}
