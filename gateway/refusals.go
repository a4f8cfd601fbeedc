package gateway

import (
	"net/netip"
	"slices"
	"time"

	"radsec-gw/logs"
	"radsec-gw/metrics"
	"radsec-gw/web"
	"radsec-gw/web/status"
)

// The counters besides refusals whose changes are watched.
const (
	counterLost      = "log_lines_lost"
	counterSlotsFull = "slots_full"
)

// fatesEvery is how often the fates of all clients' packets are added up: a thousand clients
// have many of them.
const fatesEvery = time.Minute

// refusalCounts reads the counters whose changes the status page shows. Only the goroutine
// that takes samples uses it.
type refusalCounts struct {
	g       *Gateway
	fatesAt time.Time
	fates   [metrics.NumFates]uint64
}

func newRefusalCounts(g *Gateway) *refusalCounts { return &refusalCounts{g: g} }

// all returns the counters by their names, those included that are 0: a sum may fall to that.
func (c *refusalCounts) all() map[string]uint64 {
	now := time.Now()
	if now.Sub(c.fatesAt) >= fatesEvery {
		c.fatesAt, c.fates = now, fatesOf(c.g.metrics.Clients())
	}
	out := map[string]uint64{counterLost: c.g.linesLost(), counterSlotsFull: c.g.metrics.TLS().Unfinished().SlotsFull}
	for _, r := range refusalList(c.g.metrics.TLS().Handshakes(), c.fates, c.g.metrics.Servers()) {
		out[r.What+" "+r.Reason] = r.Count
	}
	return out
}

// linesLost returns how many log lines were lost.
func (g *Gateway) linesLost() (n uint64) {
	o := g.logs.Output()
	if o == nil {
		return 0
	}
	for k := range logs.Kind(logs.NumKinds) {
		for why := range logs.Reason(logs.NumReasons) {
			n += o.Lost(k, why)
		}
	}
	return n
}

// fatesOf adds up the fates of the packets of all clients.
func fatesOf(clients []metrics.ClientCounts) (sum [metrics.NumFates]uint64) {
	for i := range clients {
		for f, n := range clients[i].Fates {
			sum[f] += n
		}
	}
	return sum
}

// refusalList lists what may be refused, by reason, and how often it was: of the clients and
// servers that exist now.
func refusalList(handshakes [metrics.NumHandshakes]uint64, fates [metrics.NumFates]uint64, servers []metrics.ServerCounts) (list []status.Refusal) {
	add := func(what, reason string, n uint64) {
		list = append(list, status.Refusal{What: what, Reason: reason, Count: n})
	}
	for h, n := range handshakes {
		if h := metrics.Handshake(h); h != metrics.HandshakeOK && h != metrics.HandshakeShutdown && h != metrics.HandshakePeerClosed {
			add("connection", h.String(), n)
		}
	}
	for f, n := range fates {
		switch f := metrics.Fate(f); f {
		case metrics.FateRelayed, metrics.FateStatusAnswered, metrics.FateAccountingAnswered, metrics.FateSpooled, metrics.FateDuplicateAnswered, metrics.FateDuplicateDropped, metrics.FateShutdown:
		default:
			add("request", f.String(), n)
		}
	}
	for r := range metrics.NumResults {
		if r == metrics.ReplyAccepted || r == metrics.ReplyProtocolError {
			continue
		}
		n := uint64(0)
		for i := range servers {
			n += servers[i].Replies[r]
		}
		add("reply", r.String(), n)
	}
	return list
}

// addRefusals sets what was refused: counted by the metrics, with an example from the log.
func (a *assembler) addRefusals(s *status.Snapshot, clients []metrics.ClientCounts, servers []metrics.ServerCounts, events []logs.Entry, changed func(string) web.Changes) {
	s.Refusals = slices.DeleteFunc(refusalList(a.g.metrics.TLS().Handshakes(), fatesOf(clients), servers), func(r status.Refusal) bool { return r.Count == 0 })
	for i := range s.Refusals {
		r := &s.Refusals[i]
		c := changed(r.What + " " + r.Reason)
		r.FirstAt, r.LastAt, r.Began = timeOrNil(c.First), timeOrNil(c.Last), timeOrNil(c.Began)
		if r.What != "connection" {
			continue
		}
		for _, e := range events { // the last that was logged is the first here
			if e.Source == logs.SourcePeer && fieldOf(&e, "result") == r.Reason {
				r.Example, r.Text = sourceOf(fieldOf(&e, "peer")), fieldOf(&e, "error")
				r.FirstAt, r.LastAt = earlier(r.FirstAt, e.First), later(r.LastAt, e.Last)
				break
			}
		}
	}
}

// sourceOf returns the address of a peer without its port, which is another each time.
func sourceOf(peer string) string {
	if a, err := netip.ParseAddrPort(peer); err == nil {
		return a.Addr().Unmap().String()
	}
	return peer
}

func fieldOf(e *logs.Entry, key string) string {
	for _, f := range e.Fields {
		if f.Key == key {
			return f.Value
		}
	}
	return ""
}

// timeOrNil returns a time in UTC; nil for the zero time.
func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func earlier(a *time.Time, b time.Time) *time.Time {
	if a == nil || b.Before(*a) {
		return timeOrNil(b)
	}
	return a
}

func later(a *time.Time, b time.Time) *time.Time {
	if a == nil || b.After(*a) {
		return timeOrNil(b)
	}
	return a
}

// eventsOf returns the warnings and errors for the status page.
func eventsOf(entries []logs.Entry) []status.Event {
	list := make([]status.Event, 0, len(entries))
	for _, e := range entries {
		one := status.Event{Severity: severityOf(e.Level), Source: e.Source.String(), Message: e.Message, Count: e.Count,
			FirstAt: e.First.UTC(), LastAt: e.Last.UTC(), Fields: []status.Field{}}
		for _, f := range e.Fields {
			one.Fields = append(one.Fields, status.Field{Key: f.Key, Value: f.Value})
		}
		if server := fieldOf(&e, "server"); server != "" {
			one.Server = status.Names{Name: server, Configured: metrics.ServerOf(server)}
		}
		list = append(list, one)
	}
	return list
}
