package audit

import (
	"log/slog"
	"net/netip"
	"sync/atomic"
	"time"

	"radsec-gw/locks"
	"radsec-gw/logs"
	"radsec-gw/metrics"
	"radsec-gw/wire"
)

// Event is one request of a client, when it has arrived or when it has ended. It and
// all that it points to is valid during the call only, and must not be changed.
type Event struct {
	Client  string         // the client's configured name
	Peer    netip.AddrPort // where the connection comes from
	Kind    wire.Kind
	Request *wire.View     // as the client sent it; nil when it is malformed
	Realm   []byte         // that the request is routed by; empty: none
	Number  uint64         // the same in all events and steps of a request; 0: it has none
	Local   netip.AddrPort // of the gateway, that the connection comes to; invalid: not known

	// Of a CoA or Disconnect that a UDP server has sent to the gateway. It goes down the
	// connection of its NAS: then Client, Peer and Local are those of the NAS, and empty if
	// there is none.
	Sender string         // its configured name; "": a request of a client
	From   netip.AddrPort // its address

	// Set when the request has ended.
	Fate     metrics.Fate
	Route    string        // that it was routed by; "": none
	Reply    []byte        // the packet handed to the client; empty: none
	Server   string        // that answered or was tried last; "": none
	Port     metrics.Port  // of the server
	Duration time.Duration // since the request arrived
	Tries    int           // transmissions to servers; 0: none

	Unverified     int            // replies that did not verify, and were ignored
	UnverifiedWhy  metrics.Result // of the last
	UnverifiedFrom string         // the server that the last came from
}

// reverse reports whether the request is one that a UDP server has sent to the gateway.
func (e *Event) reverse() bool { return e.Sender != "" }

// Hub passes events to the request log, F-Ticks and taps. Listening, Watching, Arrived, Step,
// Ended and Close of a nil Hub do nothing. Its methods may be called from any goroutine.
type Hub struct {
	// static after construction
	out     *logs.Output
	log     *slog.Logger
	metrics *metrics.Metrics
	queue   *metrics.Queue
	key     [16]byte // of hashes when no salt is configured
	syslog  *syslog

	lines     atomic.Pointer[lines]
	taps      atomic.Pointer[[]*tap]
	listening atomic.Bool // lines has any, or watching is set
	watching  atomic.Bool // a tap is attached, or debugging is set
	debugging atomic.Bool // the level of the log is debug
	level     func() slog.Level

	numbers atomic.Uint64 // of requests

	mu locks.Mutex[locks.Hub] // held while the fields above are changed
}

// lines are the lines that are written for each event.
type lines struct {
	requests *requestLog // nil: none
	debug    *debugLog   // used while debugging is set
	fticks   *fticks     // nil: none
}

// New returns a hub configured by cfg. Its Close must be called.
func New(cfg Config) *Hub {
	h := &Hub{out: cfg.Out, log: cfg.Log, metrics: cfg.Metrics, queue: cfg.Metrics.Queue("tap", "items", maxTaps*tapQueue),
		key: newKey(), syslog: newSyslog(cfg.Log), level: cfg.Level}
	h.taps.Store(new([]*tap))
	h.Configure(cfg)
	return h
}

// Configure changes what is reported of requests, and how. It does not block. Hashes
// stay the same as long as the salt does.
func (h *Hub) Configure(cfg Config) {
	h.mu.Lock()
	defer h.mu.Unlock()
	cfg.Out = h.out
	secrets := newPrivacy(&cfg, h.key)
	l := &lines{debug: newDebugLog(&cfg, secrets)}
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

// LevelChanged must be called when the level of the log has changed: at level debug the way
// of each request is logged.
func (h *Hub) LevelChanged() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.updateListening()
}

// updateListening updates what is listened for after a change of lines, taps or the level.
// Called with mu held.
func (h *Hub) updateListening() {
	l, debug := h.lines.Load(), h.level != nil && h.level() <= slog.LevelDebug
	watching := debug || len(*h.taps.Load()) > 0
	h.debugging.Store(debug)
	h.watching.Store(watching)
	h.listening.Store(watching || l.requests != nil || l.fticks != nil)
}

// Close sends what is queued for the syslog server, within a second. Config.Out is
// closed by the caller.
func (h *Hub) Close() {
	if h != nil {
		h.syslog.close()
	}
}

// Number returns the number for the events of another request, from 1.
func (h *Hub) Number() uint64 { return h.numbers.Add(1) }

// Listening reports whether Ended has any effect.
func (h *Hub) Listening() bool { return h != nil && h.listening.Load() }

// Watching reports whether Arrived and Step have any effect.
func (h *Hub) Watching() bool { return h != nil && h.watching.Load() }

// Arrived reports a request that was received and is well-formed, before it is
// forwarded.
func (h *Hub) Arrived(e *Event) {
	if !h.Watching() {
		return
	}
	if h.debugging.Load() {
		h.lines.Load().debug.arrived(e)
	}
	for _, t := range *h.taps.Load() {
		t.offer(e, false)
	}
}

// Ended reports the outcome of a request. It is called once for each packet that has
// a fate.
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
	if h.debugging.Load() {
		l.debug.ended(e)
	}
	for _, t := range *h.taps.Load() {
		t.offer(e, true)
	}
}
