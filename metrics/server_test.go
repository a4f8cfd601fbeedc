package metrics

import (
	"cmp"
	"fmt"
	"testing"
	"time"

	"layeh.com/radius"
)

// The gauges of a server's port are there from the start.
func TestGaugesOfAServerAreThere(t *testing.T) {
	m, _, s := filled(t)
	s.SetCapacity(512)
	expect(t, m,
		`radsec_gw_server_outstanding_requests{port="auth",server="freeradius-a"} 0`,
		`radsec_gw_server_outstanding_limit{port="auth",server="freeradius-a"} 512`,
		`radsec_gw_server_open_sockets{port="auth",server="freeradius-a"} 0`,
		`radsec_gw_server_up{port="auth",server="freeradius-a"} 0`,
		`radsec_gw_server_state{port="auth",server="freeradius-a",state="down"} 1`, // until the health checks have set another
		`radsec_gw_server_ports{state="down"} 1`,
		`radsec_gw_server_ports{state="up"} 0`)
}

// Each counter arrives, those that dashboards and rules have under the names that these
// know.
func TestCountsOfAServerArrive(t *testing.T) {
	names := [NumServerCounters]string{
		ServerSent: "server_requests_sent_total", ServerResent: "server_requests_resent_total", ServerTimeouts: "server_timeouts_total",
		ServerSocketErrors: "server_socket_errors_total", ServerMoved: "server_requests_moved_total",
		ServerRepliesAfterMove: "replies_after_move_total", ServerRenewals: "server_socket_renewals_total",
	}
	m, _, s := filled(t)
	for i, f := range serverFamilies {
		c := ServerCounter(i)
		if len(f.labels) > 0 {
			continue
		}
		s.Count(c, 1)
		s.Count(c, i)
		expect(t, m, fmt.Sprintf(`radsec_gw_%s{port="auth",server="freeradius-a"} %d`, cmp.Or(names[c], f.name), i+1))
		if got := m.Servers()[0].Counts[c]; got != uint64(i+1) {
			t.Errorf("%s: the snapshot has %d, expected %d", f.name, got, i+1)
		}
	}
	s.CountReply(ReplyUnmatched)
	s.CountProbe(true)
	s.CountProbe(false)
	s.CountProbe(false)
	s.CountUnverifiedProbe()
	s.CountAnswer(radius.CodeAccessReject)
	s.AddOutstanding(5)
	s.AddOutstanding(-2)
	s.AddSockets(2)
	s.ObserveReply(300 * time.Millisecond)
	expect(t, m,
		`radsec_gw_server_replies_total{port="auth",result="unmatched",server="freeradius-a"} 1`,
		`radsec_gw_server_answers_total{code="Access-Reject",port="auth",server="freeradius-a"} 1`,
		`radsec_gw_server_probes_total{port="auth",result="answered",server="freeradius-a"} 1`,
		`radsec_gw_server_probes_total{port="auth",result="unanswered",server="freeradius-a"} 2`,
		`radsec_gw_server_probes_total{port="auth",result="unverified",server="freeradius-a"} 1`,
		`radsec_gw_server_outstanding_requests{port="auth",server="freeradius-a"} 3`,
		`radsec_gw_server_open_sockets{port="auth",server="freeradius-a"} 2`,
		`radsec_gw_server_reply_seconds_bucket{port="auth",server="freeradius-a",le="0.25"} 0`,
		`radsec_gw_server_reply_seconds_bucket{port="auth",server="freeradius-a",le="0.5"} 1`,
		`radsec_gw_server_reply_seconds_sum{port="auth",server="freeradius-a"} 0.3`)
}
