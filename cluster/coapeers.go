package cluster

import (
	"context"
	"slices"
	"time"

	"github.com/nats-io/nats.go"

	"radsec-gw/locks"
)

// maxPeers bounds the gateways that are known.
const maxPeers = 256

// missedBeats is how many messages a gateway may miss before it is taken for gone.
const missedBeats = 3

// clockKept is how long the clock of a gateway is remembered that was not heard of: what it has
// sent before NATS hung must still be recognized as late.
const clockKept = 10 * time.Minute

// coaPeers are the other gateways that were heard of.
type coaPeers struct {
	mu     locks.Mutex[locks.ClusterPeers] // guards the fields below
	byName map[string]*coaPeer
}

// coaPeer is another gateway.
type coaPeer struct {
	seen time.Duration // when it was heard of last
	// offsets are by how much its clock was behind ours when its last messages arrived: the
	// smallest is that of the message which was on its way for the shortest time.
	offsets []time.Duration
}

// maxOffsets is how many messages a gateway's clock is known from: a pause of its machine is
// forgotten after so many.
const maxOffsets = 8

// heard records a message of a gateway, and reports whether it is new, or has been silent for a
// time.
func (p *coaPeers) heard(name string, clock, now, silent time.Duration) (news bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forget(now - clockKept)
	peer, known := p.byName[name]
	news = !known || peer.seen < now-silent
	if !known {
		if len(p.byName) >= maxPeers {
			return false
		}
		peer = new(coaPeer)
		p.byName[name] = peer
	}
	if len(peer.offsets) == maxOffsets {
		peer.offsets = slices.Delete(peer.offsets, 0, 1)
	}
	peer.seen, peer.offsets = now, append(peer.offsets, now-clock)
	return news
}

// forget forgets gateways that were heard of last before a time. With mu held.
func (p *coaPeers) forget(before time.Duration) {
	for name, peer := range p.byName {
		if peer.seen < before {
			delete(p.byName, name)
		}
	}
}

// left forgets a gateway that has stopped.
func (p *coaPeers) left(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.byName, name)
}

// count returns how many gateways there are: those that were not silent for a time.
func (p *coaPeers) count(now, silent time.Duration) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, peer := range p.byName {
		if peer.seen >= now-silent {
			n++
		}
	}
	return n
}

// delay returns how much longer a message with a time of a gateway's clock was on its way than
// its fastest; 0 if the gateway is not known.
func (p *coaPeers) delay(name string, clock, now time.Duration) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	peer := p.byName[name]
	if peer == nil {
		return 0
	}
	return now - clock - slices.Min(peer.offsets)
}

// beat tells the others that this gateway is there, no more often than every roundGap, whatever
// makes it do so.
func (c *CoA) beat(ctx context.Context) {
	every, gap := time.NewTicker(c.times.beat), time.NewTimer(0)
	defer every.Stop()
	defer gap.Stop()
	for {
		select {
		case <-gap.C:
		case <-ctx.Done():
			return
		}
		if c.conn.Connected() { // otherwise subscribe has it told when there is a connection
			c.send(c.prefix+"gateways", "", encodeBeat(messageBeat, c.name, c.now()))
			gap.Reset(roundGap)
		} else {
			gap.Reset(0)
		}
		select {
		case <-every.C:
		case <-c.beatNow:
		case <-ctx.Done():
			return
		}
	}
}

// hear learns which gateways there are. A new one is told at once that this one is there.
func (c *CoA) hear(ctx context.Context) {
	for {
		select {
		case m := <-c.beats:
			c.hearOne(m)
		case <-ctx.Done():
			return
		}
	}
}

// hearOne learns what a message says of a gateway.
func (c *CoA) hearOne(m *nats.Msg) {
	kind, name, clock, err := decodeBeat(m.Data)
	switch {
	case err != nil:
		c.invalid(m)
		return
	case name == c.name:
		return
	}
	c.received()
	if kind == messageBye {
		c.peers.left(name)
	} else if c.peers.heard(name, clock, c.now(), missedBeats*c.times.beat) {
		c.beatSoon()
	}
}

// beatSoon has beat tell the others now.
func (c *CoA) beatSoon() {
	select {
	case c.beatNow <- struct{}{}:
	default:
	}
}
