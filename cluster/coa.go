package cluster

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"radsec-gw/dynauth"
	"radsec-gw/logs"
	"radsec-gw/metrics"
)

// The bounds of what waits.
const (
	maxQueued   = 1024 // questions that are not yet asked
	maxLocating = 256  // that are asked, while nobody has taken them
	maxAsks     = 8192 // in all, with those that wait for the answer of a NAS of another gateway
	maxOut      = 4096 // messages to be published
	maxIn       = 4096 // messages that are not yet handled, of each kind
	servers     = 2    // goroutines that handle the requests of other gateways
)

// coaTimes are the times of a CoA. They are shorter in tests.
type coaTimes struct {
	step  time.Duration // for one gateway to say that it has taken a request
	whole time.Duration // until one has
	late  time.Duration // how long a request may have been on its way. Shorter than step, so that none is sent down after its gateway has given up (coaAsk.timeLeft)
	beat  time.Duration // between two messages that a gateway is there
	names time.Duration // between two looks at which names are no longer here
}

var defaultCoATimes = coaTimes{step: 500 * time.Millisecond, whole: 1500 * time.Millisecond, late: 250 * time.Millisecond, beat: 2 * time.Second, names: 10 * time.Second}

// CoA passes CoA and Disconnect on to the gateway that has the connection of their NAS (GW3). It
// implements dynauth.Others.
//
// All is published and subscribed to under PREFIX.coa:
//
//	name.HASH          asks the gateways that have a NAS or a client with a name; one of them
//	                   gets the message (coanames.go)
//	find               asks all gateways
//	to.GATEWAY         asks one of them
//	reply.GATEWAY.ID   what one says to that (coamessage.go)
//	gateways           says that a gateway is there (coapeers.go)
//
// The path of a question: Ask, CoA.ask, coaAsk.try (coaask.go); at the other gateway CoA.serve,
// which hands the request to dynauth.Server.Pass (coaserve.go). Only the goroutine of publish
// publishes, because that may wait when NATS does not read. What is published, received and dropped
// is counted as ClusterCoA by the metrics of the connection.
type CoA struct {
	// static after construction
	conn    *Conn
	server  *dynauth.Server
	prefix  string // of all subjects, with a dot at its end
	name    string // of this gateway in subjects
	log     *slog.Logger
	metrics *metrics.ClusterAsks
	times   coaTimes
	start   time.Time

	maxNames int // that are subscribed to

	queue    chan *coaAsk
	locating chan struct{} // has an element for each question that nobody has taken
	out      chan outgoing
	requests chan *nats.Msg
	finds    chan *nats.Msg
	replies  chan *nats.Msg
	beats    chan *nats.Msg
	beatNow  chan struct{}

	asks   coaAsks
	names  coaNames
	peers  coaPeers
	total  atomic.Int64              // questions that have not ended
	active atomic.Bool               // Run has begun and not ended
	heard  atomic.Pointer[nats.Conn] // the connection that replies to this gateway arrive on; nil: none yet

	badAnswer, tooManyNames, invalidLog logs.Limiter
}

// outgoing is a message to be published.
type outgoing struct {
	subject, reply string
	data           []byte
}

// NewCoA returns a CoA for the connections of a Server, with subjects below a prefix. The caller
// has the Server use it, and calls Run.
func NewCoA(conn *Conn, server *dynauth.Server, prefix string, m *metrics.ClusterAsks, log *slog.Logger) *CoA {
	return newCoA(conn, server, prefix, m, log, defaultCoATimes)
}

func newCoA(conn *Conn, server *dynauth.Server, prefix string, m *metrics.ClusterAsks, log *slog.Logger, t coaTimes) *CoA {
	c := &CoA{conn: conn, server: server, prefix: prefix + ".coa.", name: randomName(), log: log, metrics: m, times: t, start: time.Now(), maxNames: maxNames,
		queue: make(chan *coaAsk, maxQueued), locating: make(chan struct{}, maxLocating), out: make(chan outgoing, maxOut),
		requests: make(chan *nats.Msg, maxIn), finds: make(chan *nats.Msg, maxIn), replies: make(chan *nats.Msg, maxIn), beats: make(chan *nats.Msg, maxIn),
		beatNow: make(chan struct{}, 1)}
	c.asks.byID = map[uint64]chan coaReply{}
	c.names.wake = make(chan struct{}, 1)
	c.peers.byName = map[string]*coaPeer{}
	m.Use()
	return c
}

func randomName() string {
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// now returns the time since the CoA was made.
func (c *CoA) now() time.Duration { return time.Since(c.start) }

// Run asks, and serves the others, until ctx is done. Then questions that have not ended are
// abandoned.
func (c *CoA) Run(ctx context.Context) {
	var running sync.WaitGroup
	c.active.Store(true)
	unsubscribed := make(chan struct{})
	running.Go(func() { defer close(unsubscribed); c.subscribe(ctx) })
	running.Go(func() { c.publish(unsubscribed) })
	running.Go(func() { c.beat(ctx) })
	running.Go(func() { c.hear(ctx) })
	running.Go(func() { c.readReplies(ctx) })
	for range servers {
		running.Go(func() { c.serve(ctx) })
	}
	var asking sync.WaitGroup
	for ctx.Err() == nil {
		select {
		case a := <-c.queue:
			select {
			case c.locating <- struct{}{}:
				asking.Go(func() { c.ask(ctx, a) })
			case <-ctx.Done():
				c.end(a, metrics.AskStopped)
			}
		case <-ctx.Done():
		}
	}
	c.active.Store(false)
	asking.Wait()
	running.Wait()
	for {
		select {
		case a := <-c.queue:
			c.end(a, metrics.AskStopped)
		default:
			return
		}
	}
}

// publish publishes what is queued, until this gateway has unsubscribed. Then it tells the others
// that this one is not asked.
func (c *CoA) publish(unsubscribed <-chan struct{}) {
	for {
		select {
		case m := <-c.out:
			c.publishNow(m)
		case <-unsubscribed:
			if c.conn.Connected() {
				c.publishNow(outgoing{subject: c.prefix + "gateways", data: encodeBeat(messageBye, c.name, c.now())})
			}
			return
		}
	}
}

// publishNow publishes a message. An error is that of a connection that is lost: the others are
// told again, or not.
func (c *CoA) publishNow(m outgoing) {
	nc := c.conn.NATS()
	if nc == nil || !c.conn.Connected() || nc.PublishMsg(&nats.Msg{Subject: m.subject, Reply: m.reply, Data: m.data}) != nil {
		c.conn.cfg.Metrics.Dropped(metrics.ClusterCoA, 1)
		return
	}
	c.conn.cfg.Metrics.Sent(metrics.ClusterCoA, 1)
}

// send queues a message to be published. It reports false if too many wait.
func (c *CoA) send(subject, reply string, data []byte) bool {
	select {
	case c.out <- outgoing{subject, reply, data}:
		return true
	default:
		c.conn.cfg.Metrics.Dropped(metrics.ClusterCoA, 1)
		return false
	}
}

// received counts a message of another gateway.
func (c *CoA) received() { c.conn.cfg.Metrics.Received(metrics.ClusterCoA, 1) }

// invalid counts and logs a message that does not have the form of its kind.
func (c *CoA) invalid(m *nats.Msg) {
	c.conn.cfg.Metrics.Invalid(metrics.ClusterCoA)
	c.invalidLog.Log(func() logs.Line { return invalidLine(c.log, m) })
}
