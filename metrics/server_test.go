package metrics

import (
	"cmp"
	"fmt"
	"testing"
	"time"
)

func TestEverySeriesOfAServerIsThereAtZero(t *testing.T) {
	m, _, _, reg := filled(t)
	var want []string
	for _, f := range serverFamilies {
		if len(f.labels) == 0 {
			want = append(want, fmt.Sprintf(`radsec_gw_%s{port="auth",server="freeradius-a"} 0`, f.name))
		}
	}
	for r := range NumResults {
		want = append(want, fmt.Sprintf(`radsec_gw_server_replies_total{port="auth",result="%v",server="freeradius-a"} 0`, r))
	}
	for _, result := range []string{"answered", "unanswered", "unverified"} {
		want = append(want, fmt.Sprintf(`radsec_gw_server_probes_total{port="auth",result="%v",server="freeradius-a"} 0`, result))
	}
	for _, name := range []string{"server_outstanding_requests", "server_open_sockets", "server_up", "server_reply_seconds_count"} {
		want = append(want, `radsec_gw_`+name+`{port="auth",server="freeradius-a"} 0`)
	}
	for _, state := range []State{StateUp, StateSuspect, StateFailing} {
		want = append(want, fmt.Sprintf(`radsec_gw_server_state{port="auth",server="freeradius-a",state="%v"} 0`, state))
	}
	// Until the health checks have set another.
	want = append(want, `radsec_gw_server_state{port="auth",server="freeradius-a",state="down"} 1`)
	expect(t, m, reg, want...)
}

// Each counter arrives, those that dashboards and rules have under the names that these
// know.
func TestCountsOfAServerArrive(t *testing.T) {
	names := [NumServerCounters]string{
		ServerSent: "server_requests_sent_total", ServerResent: "server_requests_resent_total", ServerTimeouts: "server_timeouts_total",
		ServerSocketErrors: "server_socket_errors_total", ServerMoved: "server_requests_moved_total",
		ServerRepliesAfterMove: "replies_after_move_total", ServerRenewals: "server_socket_renewals_total",
	}
	m, _, s, reg := filled(t)
	for i, f := range serverFamilies {
		c := ServerCounter(i)
		if len(f.labels) > 0 {
			continue
		}
		s.Count(c, 1)
		s.Count(c, i)
		expect(t, m, reg, fmt.Sprintf(`radsec_gw_%s{port="auth",server="freeradius-a"} %d`, cmp.Or(names[c], f.name), i+1))
		if got := m.Servers()[0].Counts[c]; got != uint64(i+1) {
			t.Errorf("%s: the snapshot has %d, expected %d", f.name, got, i+1)
		}
	}
	s.CountReply(ReplyUnmatched)
	s.CountProbe(true)
	s.CountProbe(false)
	s.CountProbe(false)
	s.CountUnverifiedProbe()
	s.AddOutstanding(5)
	s.AddOutstanding(-2)
	s.AddSockets(2)
	s.ObserveReply(300 * time.Microsecond)
	expect(t, m, reg,
		`radsec_gw_server_replies_total{port="auth",result="unmatched",server="freeradius-a"} 1`,
		`radsec_gw_server_probes_total{port="auth",result="answered",server="freeradius-a"} 1`,
		`radsec_gw_server_probes_total{port="auth",result="unanswered",server="freeradius-a"} 2`,
		`radsec_gw_server_probes_total{port="auth",result="unverified",server="freeradius-a"} 1`,
		`radsec_gw_server_outstanding_requests{port="auth",server="freeradius-a"} 3`,
		`radsec_gw_server_open_sockets{port="auth",server="freeradius-a"} 2`,
		`radsec_gw_server_reply_seconds_bucket{port="auth",server="freeradius-a",le="0.000244140625"} 0`,
		`radsec_gw_server_reply_seconds_bucket{port="auth",server="freeradius-a",le="0.00048828125"} 1`,
		`radsec_gw_server_reply_seconds_sum{port="auth",server="freeradius-a"} 0.0003`)
}
