package audit

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"radsec-gw/logs"
	"radsec-gw/metrics"
	"radsec-gw/wire"
)

// Event is one request of a client, when it has come or when it has ended. It
// and all that it points to is valid during the call only, and not changed.
type Event struct {
	Client  string         // the client's configured name
	Peer    netip.AddrPort // where the connection comes from
	Kind    wire.Kind
	Request *wire.View // as the client sent it; nil when it is no well-formed packet
	Realm   []byte     // that the request is routed by; empty: none

	// Set when the request has ended.
	Fate     metrics.Fate
	Reply    []byte        // the packet handed to the client; empty: none
	Server   string        // that answered or had it last; "": none
	Port     metrics.Port  // of the server
	Duration time.Duration // since the request arrived
	Tries    int           // transmissions to servers; 0: none
}

// Hub spreads events to whoever listens. A nil Hub is one that nobody listens
// to. Its methods may be called from any goroutine.
type Hub struct {
	// static after construction
	out     *logs.Output
	metrics *metrics.Metrics
	queue   *metrics.Queue
	key     [16]byte // of hashes, when no salt is configured
	syslog  *syslog

	lines     atomic.Pointer[lines]
	taps      atomic.Pointer[[]*tap]
	listening atomic.Bool // anybody at all
	tapping   atomic.Bool // a tap is attached

	mu sync.Mutex // guards changes of what is above
}

// lines is what writes lines, as configured.
type lines struct {
	requests *requestLog // nil: none
	fticks   *fticks     // nil: none
}

// New returns a hub that does what cfg says. Its Close must be called.
func New(cfg Config) *Hub {
	h := &Hub{out: cfg.Out, metrics: cfg.Metrics, queue: cfg.Metrics.Queue("tap", "items", maxTaps*tapQueue),
		key: newKey(), syslog: newSyslog(cfg.Log)}
	h.taps.Store(new([]*tap))
	h.Configure(cfg)
	return h
}

// Configure changes what is told of requests, and how. It does not wait for
// anything. Hashes stay the same as long as the salt does.
func (h *Hub) Configure(cfg Config) {
	h.mu.Lock()
	defer h.mu.Unlock()
	cfg.Out = h.out
	secrets := newPrivacy(&cfg, h.key)
	l := &lines{}
	if cfg.Requests {
		l.requests = newRequestLog(&cfg, secrets)
	}
	h.syslog.configure(cfg.Federation, cfg.Syslog, h.metrics)
	if cfg.Federation != "" {
		l.fticks = newFTicks(&cfg, secrets, h.syslog.out)
	}
	h.lines.Store(l)
	h.updateListening()
}

// updateListening follows a change of the lines or the taps. With mu held.
func (h *Hub) updateListening() {
	l, taps := h.lines.Load(), len(*h.taps.Load())
	h.tapping.Store(taps > 0)
	h.listening.Store(taps > 0 || l.requests != nil || l.fticks != nil)
}

// Close sends what waits for the syslog server, within a second. What waits in
// Config.Out is the caller's.
func (h *Hub) Close() {
	if h != nil {
		h.syslog.close()
	}
}

// Listening reports whether Ended has anybody to tell.
func (h *Hub) Listening() bool { return h != nil && h.listening.Load() }

// Tapping reports whether Arrived has anybody to tell.
func (h *Hub) Tapping() bool { return h != nil && h.tapping.Load() }

// Arrived tells of a request that has come and is understood, before it is
// carried on.
func (h *Hub) Arrived(e *Event) {
	if !h.Tapping() {
		return
	}
	for _, t := range *h.taps.Load() {
		t.offer(e, false)
	}
}

// Ended tells what became of a request. It is called once for each packet that
// has a fate.
func (h *Hub) Ended(e *Event) {
	if !h.Listening() {
		return
	}
	l := h.lines.Load()
	if l.requests != nil {
		l.requests.ended(e)
	}
	if l.fticks != nil {
		l.fticks.ended(e)
	}
	for _, t := range *h.taps.Load() {
		t.offer(e, true)
	}
}
