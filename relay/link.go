package relay

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"radsec-gw/metrics"
	"radsec-gw/udpback"
	"radsec-gw/wire"
)

// Link is one RadSec connection: what it has in flight and what it was answered
// lately. Its methods Packet, Flush and Closed belong to the connection's read loop.
type Link struct {
	// static after construction
	gateway *Gateway
	client  *Client
	peer    Peer
	remote  netip.AddrPort
	v11     bool // RADIUS/1.1 (RFC 9765)

	inflight atomic.Int64 // requests that wait, until their answer is handed to the connection

	// owned by the read loop
	burst   *burst // borrowed while packets are being handled; nil when idle
	refused error  // why nothing more is taken from the client; nil while it is

	mu     sync.Mutex                // guards the fields below
	recent [wire.KindStatus]*history // by kind; made when the first request of the kind comes
	expiry *time.Timer               // forgets kept answers; nil until the first is kept
	armed  bool
	tokens map[wire.Token]*exchange // what is in flight on a RADIUS/1.1 connection, instead of recent; made when the first comes
}

// burst is what handling packets needs; an idle link has none.
type burst struct {
	batch    *udpback.Batch
	verify   *wire.Digests
	view     wire.View
	queue    []*exchange   // whose digests are not computed yet, in order
	rules    *Rules        // the same for all of one run of process
	came     time.Duration // when the first packet did
	answer   [wire.MaxLength]byte
	answered bool // something was sent to the peer
}

// work returns the burst, borrowing one when the link was idle.
func (l *Link) work() *burst {
	if l.burst == nil {
		l.burst = l.gateway.bursts.Get().(*burst)
		l.burst.batch = l.gateway.back.AcquireBatch()
		l.burst.came = l.gateway.back.Now()
	}
	return l.burst
}

// process computes the digests of the queued packets together and relays, in
// order, those that verify. One that does not ends the connection: what came
// behind it is not looked at any more.
func (l *Link) process(b *burst) error {
	b.verify.Run()
	b.rules = l.gateway.rules.Load()
	for i, x := range b.queue {
		b.queue[i] = nil
		if l.refused != nil {
			x.end(metrics.FateClientGone, nil)
			l.gateway.recycle(x)
			continue
		}
		if err := b.verify.Result(x.ticket); err != nil {
			l.refused = l.unverified(x, err)
			continue
		}
		if !l.relay(b, x) {
			l.gateway.recycle(x)
		}
	}
	b.queue = b.queue[:0]
	b.verify.Reset()
	return l.refused
}

// Flush sends on what the connection held: requests to the servers, the
// gateway's own answers to the client. An error costs the client its connection.
func (l *Link) Flush() error {
	b := l.burst
	if b == nil {
		return l.refused
	}
	l.process(b)
	b.batch.Flush()
	l.burst = nil
	l.gateway.back.ReleaseBatch(b.batch)
	if b.answered {
		l.peer.Flush()
	}
	b.batch, b.rules, b.answered = nil, nil, false
	b.view.Packet = nil
	l.gateway.bursts.Put(b)
	return l.refused
}

// Closed ends the link: what is in flight is not resent any more, replies that
// still come are dropped, kept answers are forgotten (RFC 6613 §2.6.1).
func (l *Link) Closed() {
	l.Flush()
	l.mu.Lock()
	var gone []*exchange
	for kind, h := range l.recent {
		if h != nil {
			gone = append(gone, h.close(l.gateway)...)
			l.recent[kind] = nil
		}
	}
	for _, x := range l.tokens {
		gone = append(gone, x)
	}
	l.tokens = nil
	l.mu.Unlock()
	l.inflight.Add(-int64(len(gone)))
	fate := l.unanswered()
	for _, x := range gone {
		x.giveUp(fate)
	}
}

// Outstanding is how many requests of the connection wait for their replies. It
// may be called from any goroutine.
func (l *Link) Outstanding() int { return int(l.inflight.Load()) }
