package metrics

import (
	"fmt"
	"testing"

	"layeh.com/radius"

	"radsec-gw/wire"
)

func TestEverySeriesOfAClientIsThereAtZero(t *testing.T) {
	m, _, _, reg := filled(t)
	var want []string
	for k := range wire.NumKinds {
		for f := range NumFates {
			want = append(want, fmt.Sprintf(`radsec_gw_requests_total{client="campus",fate="%v",kind="%v"} 0`, f, k))
		}
	}
	for r := range NumReasons {
		want = append(want, fmt.Sprintf(`radsec_gw_tls_client_connections_closed_total{client="campus",reason="%v"} 0`, r))
	}
	for o := range wire.NumOmissions {
		want = append(want, fmt.Sprintf(`radsec_gw_omitted_attributes_total{client="campus",reason="%v"} 0`, o))
	}
	for a := range NumAnswers {
		want = append(want, fmt.Sprintf(`radsec_gw_replies_total{client="campus",code="%v"} 0`, a))
	}
	expect(t, m, reg, append(want,
		`radsec_gw_tls_client_connections_total{client="campus"} 0`,
		`radsec_gw_tls_client_connections{client="campus"} 0`)...)
}

func TestCountsOfAClientArrive(t *testing.T) {
	m, c, _, reg := filled(t)
	c.Count(wire.KindAccess, FateRelayed)
	c.Count(wire.KindAccess, FateRelayed)
	c.Count(wire.KindCoA, FateNoRoute)
	c.CountReply(radius.CodeAccessReject)
	c.CountReply(radius.CodeAccessRequest)
	c.Omitted(wire.OmittedEAP, 3)
	c.Connected()
	c.Connected()
	c.Disconnected(ClosedIdle)
	expect(t, m, reg,
		`radsec_gw_requests_total{client="campus",fate="relayed",kind="access"} 2`,
		`radsec_gw_requests_total{client="campus",fate="no_route",kind="coa"} 1`,
		`radsec_gw_replies_total{client="campus",code="Access-Reject"} 1`,
		`radsec_gw_replies_total{client="campus",code="Protocol-Error"} 0`,
		`radsec_gw_replies_total{client="campus",code="other"} 1`,
		`radsec_gw_omitted_attributes_total{client="campus",reason="eap_message"} 3`,
		`radsec_gw_tls_client_connections_total{client="campus"} 2`,
		`radsec_gw_tls_client_connections{client="campus"} 1`,
		`radsec_gw_tls_client_connections_closed_total{client="campus",reason="idle_timeout"} 1`)
}

func TestCountsOfARouteArrive(t *testing.T) {
	m, _, _, reg := filled(t)
	m.Route("example.org").Count(FateServerSilent)
	expect(t, m, reg,
		`radsec_gw_route_requests_total{fate="server_silent",route="example.org"} 1`,
		`radsec_gw_route_requests_total{fate="relayed",route="example.org"} 0`)
}
