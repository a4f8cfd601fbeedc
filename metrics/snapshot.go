package metrics

import (
	"cmp"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"layeh.com/radius"

	"radsec-gw/wire"
)

// ServerCounts are the counts of one port of a server, for the status page.
type ServerCounts struct {
	Name                 string
	Port                 Port
	Address              string // where it is reached now
	State                State
	Proven               bool // as SetProven has set it
	Outstanding, Sockets int64
	Counts               [NumServerCounters]uint64 // each the sum over its series
	Replies              [NumResults]uint64        // datagrams received, by what they were
	Answered             uint64                    // verified replies
	Bad                  uint64                    // datagrams that were not: unmatched, malformed, not verified
	Timed                uint64                    // replies in TimeSum
	TimeSum              time.Duration             // of the round trips
}

// Servers returns the counts of every port of every server that there is a
// handle for, in the order of their names.
func (m *Metrics) Servers() []ServerCounts {
	m.mu.Lock()
	list := make([]ServerCounts, 0, len(m.servers))
	for key, s := range m.servers {
		c := ServerCounts{Name: key.name, Port: key.port, State: s.State(), Proven: s.Proven(), Address: s.Address(),
			Outstanding: s.outstanding.n.Load(), Sockets: s.sockets.n.Load()}
		for i := range c.Counts {
			c.Counts[i] = s.counters.total(i)
		}
		for r := range s.counters[ServerReplies] {
			c.Replies[r] = s.counters[ServerReplies][r].n.Load()
			switch n := c.Replies[r]; Result(r) {
			case ReplyAccepted, ReplyProtocolError:
				c.Answered += n
			default:
				c.Bad += n
			}
		}
		c.Timed, c.TimeSum = s.replyTime.totals()
		list = append(list, c)
	}
	m.mu.Unlock()
	slices.SortFunc(list, func(a, b ServerCounts) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Port, b.Port))
	})
	return list
}

// ClientCounts are the counts of one client, for the status page.
type ClientCounts struct {
	Name        string
	Connections int64 // now
	Fates       [NumFates]uint64
	Requests    uint64 // the sum of Fates

	Accepts, Rejects, Challenges uint64 // packets of these Codes to the client
}

// Clients returns the counts of every client that there is a handle for, in
// the order of their names.
func (m *Metrics) Clients() []ClientCounts {
	m.mu.Lock()
	list := make([]ClientCounts, 0, len(m.clients))
	for name, c := range m.clients {
		counts := ClientCounts{Name: name, Connections: c.open.n.Load()}
		for k := range wire.NumKinds {
			for f := range NumFates {
				n := c.request(k, f).n.Load()
				counts.Fates[f] += n
				counts.Requests += n
			}
		}
		answers := c.counters[clientReplies]
		counts.Accepts, counts.Rejects, counts.Challenges = answers[AnswerOf(radius.CodeAccessAccept)].n.Load(),
			answers[AnswerOf(radius.CodeAccessReject)].n.Load(), answers[AnswerOf(radius.CodeAccessChallenge)].n.Load()
		list = append(list, counts)
	}
	m.mu.Unlock()
	slices.SortFunc(list, func(a, b ClientCounts) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// Handshakes returns how many connections had each result, for the status page.
func (t *TLS) Handshakes() (n [NumHandshakes]uint64) {
	for h, counter := range t.handshakes {
		n[h] = read(counter)
	}
	return n
}

// read returns a counter's value.
func read(c prometheus.Counter) uint64 {
	var out dto.Metric
	if err := c.Write(&out); err != nil { // cannot happen: Write only copies to out
		return 0
	}
	return uint64(out.GetCounter().GetValue())
}
