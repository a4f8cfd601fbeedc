package audit

import (
	"context"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

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

	// Set when the request has ended.
	Fate     metrics.Fate
	Reply    []byte        // the packet handed to the client; empty: none
	Server   string        // that answered or had it last; "": none
	Port     string        // of the server: "auth", "acct", "coa"
	Duration time.Duration // since the request came
	Tries    int           // transmissions to servers; 0: none
}

// Hub spreads events to whoever listens. A nil Hub is one that nobody listens
// to. Its methods may be called from any goroutine.
type Hub struct {
	// static after construction
	requests *requestLog // nil: no lines
	fticks   *fticks     // nil: none
	queue    *metrics.Queue

	listening atomic.Bool // anybody at all
	tapping   atomic.Bool // a tap is attached

	mu   sync.Mutex // guards changes of taps
	taps atomic.Pointer[[]*tap]
}

// New returns a hub that does what cfg says. Run must be called for its lines
// to be written.
func New(cfg Config) (*Hub, error) {
	h := &Hub{queue: cfg.Metrics.Queue("tap", "items", maxTaps*tapQueue)}
	h.taps.Store(new([]*tap))
	secrets := newPrivacy(&cfg)
	if cfg.Requests {
		h.requests = newRequestLog(&cfg, secrets)
	}
	if cfg.Federation != "" {
		f, err := newFTicks(&cfg, secrets)
		if err != nil {
			return nil, err
		}
		h.fticks = f
	}
	h.listening.Store(h.requests != nil || h.fticks != nil)
	return h, nil
}

// Run writes the lines until ctx is done and all that came before is written.
func (h *Hub) Run(ctx context.Context) {
	var running sync.WaitGroup
	if h.requests != nil {
		running.Go(func() { h.requests.lines.run(ctx) })
	}
	if h.fticks != nil {
		running.Go(func() { h.fticks.lines.run(ctx) })
	}
	running.Wait()
	if h.fticks != nil {
		h.fticks.close()
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
	if h.requests != nil {
		h.requests.ended(e)
	}
	if h.fticks != nil {
		h.fticks.ended(e)
	}
	for _, t := range *h.taps.Load() {
		t.offer(e, true)
	}
}
