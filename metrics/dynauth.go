package metrics

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"radsec-gw/wire"
)

// reverseFates are the fates that a datagram to the listeners of [dynamic_authorization] can
// have, or a request that another gateway has passed on.
var reverseFates = [...]Fate{
	FateRelayed, FateDuplicateDropped, FateDuplicateAnswered,
	FateBadLength, FateBadAttributes, FateBadRequestAuthenticator, FateBadMessageAuthenticator, FateMissingMessageAuthenticator,
	FateUnknownCode, FateUnknownSender, FateStaleTimestamp, FateNotAllowed, FateNoNAS, FateNASMismatch, FateNoIdentifier,
	FateRuleRejected, FateRuleFailed, FateTooLong, FateReplyTooLong,
	FateNASSilent, FateClientGone, FateClientNotReading, FateProtocolError, FateShutdown,
}

// reverseKinds are the kinds of these datagrams.
var reverseKinds = [...]wire.Kind{wire.KindCoA, wire.KindDisconnect, wire.KindOther}

// DynAuth is the handle for reverse CoA: CoA and Disconnect from UDP servers to NASes behind
// RadSec connections. Its methods may be called from any goroutine.
type DynAuth struct {
	requests [wire.NumKinds][NumFates]prometheus.Counter // nil where a fate is not in reverseFates
	answers  [NumAnswers]prometheus.Counter
	time     prometheus.Histogram

	pending   level
	keys      level
	nases     level
	evicted   atomic.Uint64
	conflicts atomic.Uint64
	forgotten atomic.Uint64
}

func newDynAuth(reg prometheus.Registerer) *DynAuth {
	d := new(DynAuth)
	requests := counter("reverse_requests_total", "Datagrams received by [dynamic_authorization], and requests that other gateways have passed on, by their fate.", "kind", "fate")
	answers := counter("reverse_answers_total", "Answers to CoA and Disconnect sent to UDP servers, by their Code.", "code")
	d.time = prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: namespace, Name: "reverse_duration_seconds",
		Help: "Time from the arrival of a CoA or Disconnect by UDP to the answer of its NAS.", Buckets: seconds(classicBounds[:])})
	reg.MustRegister(requests, answers, d.time)
	for _, k := range reverseKinds {
		for _, f := range reverseFates {
			d.requests[k][f] = requests.WithLabelValues(k.String(), f.String())
		}
	}
	for _, code := range answerCodes {
		if a := AnswerOf(code); wire.Answers(40, code) || wire.Answers(43, code) {
			if code != wire.CodeProtocolError {
				d.answers[a] = answers.WithLabelValues(a.String())
			}
		}
	}
	d.pending.register(reg, "reverse_pending_requests", "CoA and Disconnect that were sent down a RadSec connection and are not answered yet.", nil)
	d.keys.register(reg, "reverse_learned_keys", "Keys of sessions and NASes that were learned from the requests of clients with reverse_coa; max_learned is their limit.", nil)
	d.nases.register(reg, "reverse_learned_nases", "NASes that were learned from the requests of clients with reverse_coa.", nil)
	for _, c := range []struct {
		name, help string
		n          *atomic.Uint64
	}{
		{"reverse_keys_evicted_total", "Learned keys that were removed, though not expired, to make space for others.", &d.evicted},
		{"reverse_claims_refused_total", "Requests that had the NAS-Identifier or an address of a NAS that is connected through another client; that NAS keeps it.", &d.conflicts},
		{"reverse_answers_forgotten_total", "Kept answers that were removed, though a duplicate could still arrive, to make space for others.", &d.forgotten},
	} {
		reg.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Namespace: namespace, Name: c.name, Help: c.help},
			func() float64 { return float64(c.n.Load()) }))
	}
	return d
}

// seconds returns durations as floating-point seconds.
func seconds(list []time.Duration) (all []float64) {
	for _, d := range list {
		all = append(all, d.Seconds())
	}
	return all
}

// DynAuth returns the handle for reverse CoA.
func (m *Metrics) DynAuth() *DynAuth { return m.dynAuth }

// Count counts the fate of one datagram.
func (d *DynAuth) Count(k wire.Kind, f Fate) {
	if k != wire.KindCoA && k != wire.KindDisconnect {
		k = wire.KindOther
	}
	d.requests[k][f].Inc()
}

// CountAnswer counts an answer to a sender.
func (d *DynAuth) CountAnswer(code wire.Code) { d.answers[AnswerOf(code)].Inc() }

// ObserveAnswer observes how long an answer of a NAS took.
func (d *DynAuth) ObserveAnswer(took time.Duration) { d.time.Observe(took.Seconds()) }

// AddPending adds n to the requests that wait for their answers.
func (d *DynAuth) AddPending(n int) { d.pending.add(n) }

// Pending returns how many requests wait for their answers.
func (d *DynAuth) Pending() int64 { return d.pending.n.Load() }

// AddKeys adds n to the learned keys.
func (d *DynAuth) AddKeys(n int) { d.keys.add(n) }

// AddNASes adds n to the learned NASes.
func (d *DynAuth) AddNASes(n int) { d.nases.add(n) }

// Evicted counts a learned key that was removed before it had expired.
func (d *DynAuth) Evicted() { d.evicted.Add(1) }

// ClaimRefused counts a request that claims the identity of another client's NAS.
func (d *DynAuth) ClaimRefused() { d.conflicts.Add(1) }

// Forgotten counts an answer that was removed before its duplicate window was over.
func (d *DynAuth) Forgotten() { d.forgotten.Add(1) }
