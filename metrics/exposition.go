package metrics

import (
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"
)

const (
	gaugeType     = dto.MetricType_GAUGE
	counterType   = dto.MetricType_COUNTER
	histogramType = dto.MetricType_HISTOGRAM
)

// emitter is called with each metric family. What it is given is valid until it returns.
type emitter func(*dto.MetricFamily) error

// exposeOwned calls emit with each family that clients, servers or routes have series of,
// and that is not empty. native says whether the native form of histograms is wanted.
func (m *Metrics) exposeOwned(a *arena, native bool, emit emitter) error {
	now := time.Now().UnixMilli()
	some := func(f *dto.MetricFamily) error {
		if len(f.Metric) == 0 {
			return nil
		}
		return emit(f)
	}
	owned := m.owners()
	for _, expose := range []func(*arena, emitter, *owners) error{
		func(a *arena, emit emitter, o *owners) error { return m.ofClients.expose(m, a, emit, o.clients.all()) },
		func(a *arena, emit emitter, o *owners) error { return m.ofServers.expose(m, a, emit, o.servers.all()) },
		func(a *arena, emit emitter, o *owners) error { return m.ofRoutes.expose(m, a, emit, o.routes.all()) },
		m.exposeClients,
		m.exposeServers,
		m.exposeStates,
		func(a *arena, emit emitter, o *owners) error { return m.exposeReplyTimes(a, native, emit, o) },
		func(a *arena, emit emitter, _ *owners) error { return m.exposeRequestTimes(a, native, emit) },
		func(a *arena, emit emitter, _ *owners) error { return m.exposeRoutes(a, emit) },
	} {
		if err := expose(a, some, owned); err != nil {
			return err
		}
	}
	m.mu.Lock()
	m.exposed = now
	m.mu.Unlock()
	return nil
}

// owners are the owners of series at one moment, sorted by their labels.
type owners struct {
	clients list[*Client]
	servers list[*Server]
	routes  list[*Route]
}

type list[O interface{ base() *owner }] []O

func (o *owner) base() *owner { return o }

// all returns the owners of a list.
func (l list[O]) all() []*owner {
	all := make([]*owner, len(l))
	for i, o := range l {
		all[i] = o.base()
	}
	return all
}

func sorted[K comparable, O interface{ base() *owner }](from map[K]O) list[O] {
	l := make(list[O], 0, len(from))
	for _, o := range from {
		l = append(l, o)
	}
	slices.SortFunc(l, func(a, b O) int { return slices.Compare(a.base().values, b.base().values) })
	return l
}

func (m *Metrics) owners() *owners {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &owners{sorted(m.clients), sorted(m.servers), sorted(m.routes)}
}

// expose exposes the counters of all owners: those that are not zero.
func (f *families) expose(m *Metrics, a *arena, emit emitter, all []*owner) error {
	m.mu.Lock()
	rests := f.sumOthers(all)
	m.mu.Unlock()
	for i := range f.list {
		a.begin(f.list[i].name, f.list[i].help, counterType)
		m.mu.Lock()
		for _, o := range all {
			if o.own {
				f.exposeOwner(a, i, o, o.counters, m.exposed)
			}
		}
		for _, r := range rests {
			f.exposeOwner(a, i, r.owner, r.sums, m.exposed)
		}
		m.mu.Unlock()
		if err := emit(a.end()); err != nil {
			return err
		}
	}
	return nil
}

// exposeOwner exposes the counts of one owner in a family. What is exposed for the first
// time was zero at the last time, or when the owner was made. Called with Metrics.mu held.
func (f *families) exposeOwner(a *arena, family int, o *owner, counts counters, last int64) {
	for k := range counts[family] {
		n := counts[family][k].n.Load()
		if n == 0 {
			continue
		}
		since := &o.counters[family][k].since
		if *since == 0 {
			*since = max(last, o.created.UnixMilli())
		}
		a.counter(n, *since, o.pairs, f.pairs[family][k])
	}
}

// rest is what the owners without series of their own have together.
type rest struct {
	owner *owner
	sums  counters
}

// sumOthers adds up the counts of the owners without series of their own. Called with
// Metrics.mu held.
func (f *families) sumOthers(all []*owner) (rests []rest) {
	of := map[*owner]counters{}
	for _, o := range all {
		if o.own {
			continue
		}
		r := f.rest(o)
		if of[r] == nil {
			of[r] = newCounters(f.sizes)
		}
		of[r].addAll(o.counters)
	}
	for _, r := range f.others {
		if of[r] == nil {
			of[r] = newCounters(f.sizes)
		}
		of[r].addAll(r.counters)
		rests = append(rests, rest{r, of[r]})
	}
	slices.SortFunc(rests, func(a, b rest) int { return slices.Compare(a.owner.values, b.owner.values) })
	return rests
}

// addAll adds the counts of o to those of c.
func (c counters) addAll(o counters) {
	for i := range o {
		for k := range o[i] {
			c[i][k].n.Add(o[i][k].n.Load())
		}
	}
}

// exposeClients exposes the gauges of clients.
func (m *Metrics) exposeClients(a *arena, emit emitter, o *owners) error {
	otherPairs, sum, hidden := labelPairs([]string{"client"}, []string{other}), int64(0), 0
	a.begin("tls_client_connections", "TLS connections of a client that are open now.", gaugeType)
	for _, c := range o.clients {
		if c.own {
			a.gauge(float64(c.open.n.Load()), c.pairs)
		} else {
			sum, hidden = sum+c.open.n.Load(), hidden+1
		}
	}
	if hidden > 0 {
		a.gauge(float64(sum), otherPairs)
	}
	if err := emit(a.end()); err != nil {
		return err
	}
	a.begin("tls_client_certificate_expiry_timestamp_seconds", "When the first of a client's certificates in use ends, in Unix time; absent while the client has no connection with a certificate.", gaugeType)
	soonest, first := m.soonestEnds(), time.Time{}
	for _, c := range o.clients {
		switch t := soonest[c.values[0]]; {
		case t.IsZero():
		case c.own:
			a.gauge(float64(t.Unix()), c.pairs)
		case first.IsZero() || t.Before(first):
			first = t
		}
	}
	if !first.IsZero() {
		a.gauge(float64(first.Unix()), otherPairs)
	}
	return emit(a.end())
}

// exposeServers exposes the gauges of the ports of servers but for their states.
func (m *Metrics) exposeServers(a *arena, emit emitter, o *owners) error {
	for _, g := range []struct {
		name, help string
		of         func(*Server) *level
	}{
		{"server_outstanding_requests", "Requests that wait for a UDP server's reply now.", func(s *Server) *level { return &s.outstanding }},
		{"server_outstanding_limit", "The most requests that can wait for a UDP server's reply: 256 for each of max_sockets.", func(s *Server) *level { return &s.capacity }},
		{"server_open_sockets", "Sockets open to a UDP server, each good for 256 outstanding requests.", func(s *Server) *level { return &s.sockets }},
	} {
		a.begin(g.name, g.help, gaugeType)
		for _, s := range o.servers {
			if s.own {
				a.gauge(float64(g.of(s).n.Load()), s.pairs)
			}
		}
		if err := emit(a.end()); err != nil {
			return err
		}
	}
	return nil
}

// maxOtherStates bounds the ports without series of their own whose state is exposed:
// those that are not up.
const maxOtherStates = 100

// exposeStates exposes the states of the ports of servers: as one series for each state
// that a port has been in, of which one is 1, and as server_up, which is 1 in the state up
// only.
func (m *Metrics) exposeStates(a *arena, emit emitter, o *owners) error {
	var shown []*Server
	var counts [NumStates]int
	others := 0
	for _, s := range o.servers {
		state := s.State()
		if int(state) < len(counts) {
			counts[state]++
		}
		switch {
		case s.own:
			shown = append(shown, s)
		case state != StateUp && others < maxOtherStates:
			shown, others = append(shown, s), others+1
		}
	}
	a.begin("server_up", "1 while a UDP server is up; 0 otherwise, and server_state says why.", gaugeType)
	for _, s := range shown {
		a.gauge(oneIf(s.State() == StateUp), s.pairs)
	}
	if err := emit(a.end()); err != nil {
		return err
	}
	a.begin("server_state", "1 for the state that a UDP server is in, 0 for others that it has been in.", gaugeType)
	for _, s := range shown {
		now := s.State()
		for state := range NumStates {
			if s.had(state) {
				a.gauge(oneIf(now == state), s.pairs, m.statePairs[state])
			}
		}
	}
	if err := emit(a.end()); err != nil {
		return err
	}
	a.begin("server_ports", "Ports of UDP servers, by their state.", gaugeType)
	for state, n := range counts {
		a.gauge(float64(n), m.statePairs[state])
	}
	return emit(a.end())
}

// exposeReplyTimes exposes the histograms of the ports of servers, of those that have
// answered.
func (m *Metrics) exposeReplyTimes(a *arena, native bool, emit emitter, o *owners) error {
	a.begin("server_reply_seconds", "Time from the first transmission of a request to its accepted reply.", histogramType)
	m.mu.Lock()
	for _, s := range o.servers {
		if n, _ := s.replyTime.totals(); s.own && n > 0 {
			if s.replyTime.since == 0 {
				s.replyTime.since = max(m.exposed, s.created.UnixMilli())
			}
			a.histogram(&s.replyTime, native, s.pairs)
		}
	}
	m.mu.Unlock()
	return emit(a.end())
}

// exposeRequestTimes exposes the histograms of the kinds of requests.
func (m *Metrics) exposeRequestTimes(a *arena, native bool, emit emitter) error {
	a.begin("request_seconds", "Time from a client's request to the answer that it was handed.", histogramType)
	for k := range m.requestTime {
		a.histogram(&m.requestTime[k], native, m.kindPairs[k])
	}
	return emit(a.end())
}

// Describe implements prometheus.Collector. It describes nothing, because which series
// there are changes.
func (m *Metrics) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector, for a registry that other metrics are in as
// well. Handler does the same without the cost of a registry.
func (m *Metrics) Collect(ch chan<- prometheus.Metric) {
	m.shared.Collect(ch)
	_ = m.exposeOwned(new(arena), true, func(f *dto.MetricFamily) error {
		for _, one := range f.Metric {
			var labels []string
			for _, l := range one.Label {
				labels = append(labels, l.GetName())
			}
			ch <- metric{prometheus.NewDesc(f.GetName(), f.GetHelp(), labels, nil), proto.Clone(one).(*dto.Metric)}
		}
		return nil
	})
}

// metric is a metric that was read.
type metric struct {
	desc *prometheus.Desc
	dto  *dto.Metric
}

// Desc implements prometheus.Metric.
func (m metric) Desc() *prometheus.Desc { return m.desc }

// Write implements prometheus.Metric.
func (m metric) Write(out *dto.Metric) error {
	proto.Merge(out, m.dto)
	return nil
}
