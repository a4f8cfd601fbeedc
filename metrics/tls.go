package metrics

import (
	"crypto/tls"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// TLS is the handle for what happens before a client is known, and for what
// all connections share. Its methods may be called from any goroutine.
type TLS struct {
	// static after construction
	handshakes [NumHandshakes]prometheus.Counter
	versions   [2][2]prometheus.Counter // TLS 1.2 and 1.3; whole and resumed

	crlThis, crlNext, crlRefused *prometheus.GaugeVec // issuer

	connectionsLimit level
	handshakesLimit  level

	silent      level
	queued      level
	handshaking level
	slotsFull   atomic.Uint64
	waiting     level
	throttled   level

	listeners *listeners // of each by itself
}

func newTLS(reg prometheus.Registerer) *TLS {
	t := &TLS{listeners: newListeners(reg)}
	results := counter("tls_handshakes_total",
		"Accepted TCP connections, by how their handshakes ended.", "result")
	reg.MustRegister(results)
	for h := range t.handshakes {
		t.handshakes[h] = results.WithLabelValues(Handshake(h).String())
	}
	versions := counter("tls_sessions_total",
		"Handshakes of known clients, by TLS version and by whether an earlier session was resumed.", "version", "resumed")
	reg.MustRegister(versions)
	for v, version := range []string{"1.2", "1.3"} {
		for r, resumed := range []string{"no", "yes"} {
			t.versions[v][r] = versions.WithLabelValues(version, resumed)
		}
	}
	t.connectionsLimit.register(reg, "tls_connections_limit", "The most RadSec connections that are open at a time: max_connections, or fewer where the process has too few descriptors.", nil)
	t.handshakesLimit.register(reg, "tls_handshakes_limit", "The most TLS handshakes at a time: max_handshakes.", nil)
	t.silent.register(reg, "tls_silent_connections", "Connections that have not begun a TLS handshake yet.", nil)
	t.queued.register(reg, "tls_handshakes_waiting", "Connections that have begun a TLS handshake and wait for one of the max_handshakes slots.", nil)
	t.handshaking.register(reg, "tls_handshakes_in_progress", "TLS handshakes that hold a slot and are not finished yet.", nil)
	reg.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Namespace: namespace, Name: "tls_handshake_slots_full_total",
		Help: "Times that a TLS handshake began and found all of the max_handshakes slots taken."},
		func() float64 { return float64(t.slotsFull.Load()) }))
	t.waiting.register(reg, "tls_waiting_bytes",
		"Bytes that wait because a client does not read; each connection has a bound.", nil)
	t.throttled.register(reg, "tls_throttled_connections",
		"Connections that are not read from at present, because their client has reached a limit.", nil)
	t.crlThis = prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: namespace, Name: "crl_this_update_timestamp_seconds",
		Help: "When the newest revocation list of an issuer was made; its age is time() minus this."}, []string{"issuer"})
	t.crlNext = prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: namespace, Name: "crl_next_update_timestamp_seconds",
		Help: "When the newest revocation list of an issuer is out of date; 0: it does not say."}, []string{"issuer"})
	t.crlRefused = prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: namespace, Name: "crl_issuer_refused",
		Help: "Whether certificates of an issuer are refused because its newest revocation list is out of date, or has not been fetched yet."}, []string{"issuer"})
	reg.MustRegister(t.crlThis, t.crlNext, t.crlRefused)
	return t
}

// CRL is the age of an issuer's newest revocation list, and its consequence.
type CRL struct {
	Issuer     string    // from a file of the operator's
	ThisUpdate time.Time // zero: the list has not been fetched yet
	NextUpdate time.Time // zero: not given
	Refused    bool      // certificates of the issuer are refused because the list is out of date, or not there yet
}

// setCRLs replaces the series of revocation lists.
func (t *TLS) setCRLs(list map[string]CRL) {
	t.crlThis.Reset()
	t.crlNext.Reset()
	t.crlRefused.Reset()
	for _, c := range list {
		t.crlRefused.WithLabelValues(c.Issuer).Set(oneIf(c.Refused))
		if c.ThisUpdate.IsZero() {
			continue
		}
		t.crlThis.WithLabelValues(c.Issuer).Set(float64(c.ThisUpdate.Unix()))
		next := 0.0
		if !c.NextUpdate.IsZero() {
			next = float64(c.NextUpdate.Unix())
		}
		t.crlNext.WithLabelValues(c.Issuer).Set(next)
	}
}

// SetLimits sets the most connections and the most handshakes at a time.
func (t *TLS) SetLimits(connections, handshakes int) {
	t.connectionsLimit.n.Store(int64(connections))
	t.handshakesLimit.n.Store(int64(handshakes))
}

// AddThrottled adds n to the connections that are not read from.
func (t *TLS) AddThrottled(n int) { t.throttled.add(n) }

// CountHandshake counts the result of an accepted connection's handshake.
func (t *TLS) CountHandshake(h Handshake) { t.handshakes[h].Inc() }

// CountSession counts a successful handshake, by what was negotiated.
func (t *TLS) CountSession(version uint16, resumed bool) {
	v, r := 0, 0
	if version >= tls.VersionTLS13 {
		v = 1
	}
	if resumed {
		r = 1
	}
	t.versions[v][r].Inc()
}

// Unfinished is how many connections have not been assigned to a client yet, by how far
// their handshakes are.
type Unfinished struct {
	Silent      int64 // have not begun a handshake
	Queued      int64 // have begun one and wait for a slot
	Handshaking int64 // hold a slot

	SlotsFull uint64 // times that one began and found no free slot, since the start
}

// Unfinished returns the connections that have no client yet.
func (t *TLS) Unfinished() Unfinished {
	return Unfinished{Silent: t.silent.n.Load(), Queued: t.queued.n.Load(), Handshaking: t.handshaking.n.Load(), SlotsFull: t.slotsFull.Load()}
}

// AddSilent adds n to the connections that have not begun a handshake.
func (t *TLS) AddSilent(n int) { t.silent.add(n) }

// AddQueued adds n to the connections that wait for a handshake's slot.
func (t *TLS) AddQueued(n int) { t.queued.add(n) }

// CountSlotsFull counts a handshake that began and found no free slot.
func (t *TLS) CountSlotsFull() { t.slotsFull.Add(1) }

// AddHandshaking adds n to the handshakes in progress.
func (t *TLS) AddHandshaking(n int) { t.handshaking.add(n) }

// AddWaiting adds n bytes to those that wait because a client does not read.
func (t *TLS) AddWaiting(n int) { t.waiting.add(n) }
