package metrics

import (
	"testing"

	"layeh.com/radius"

	"radsec-gw/wire"
)

func TestCountsOfAClientArrive(t *testing.T) {
	m, c, _ := filled(t)
	c.Count(wire.KindAccess, FateRelayed)
	c.Count(wire.KindAccess, FateRelayed)
	c.Count(wire.KindCoA, FateNoRoute)
	c.CountReply(radius.CodeAccessReject, 20)
	c.CountReply(radius.CodeAccessRequest, 22)
	c.Received(44)
	c.Received(55)
	c.Omitted(wire.OmittedEAP, 3)
	c.Connected()
	c.Connected()
	c.Disconnected(ClosedIdle)
	expect(t, m,
		`radsec_gw_requests_total{client="campus",fate="relayed",kind="access"} 2`,
		`radsec_gw_requests_total{client="campus",fate="no_route",kind="coa"} 1`,
		`radsec_gw_replies_total{client="campus",code="Access-Reject"} 1`,
		`radsec_gw_replies_total{client="campus",code="other"} 1`,
		`radsec_gw_client_sent_bytes_total{client="campus"} 42`,
		`radsec_gw_client_received_bytes_total{client="campus"} 99`,
		`radsec_gw_omitted_attributes_total{client="campus",reason="eap_message"} 3`,
		`radsec_gw_tls_client_connections_total{client="campus"} 2`,
		`radsec_gw_tls_client_connections{client="campus"} 1`,
		`radsec_gw_tls_client_connections_closed_total{client="campus",reason="idle_timeout"} 1`)
}

func TestCountsOfARouteArrive(t *testing.T) {
	m, _, _ := filled(t)
	m.Route("example.org").Count(FateServerSilent)
	m.Route("example.org").CountAnswer(radius.CodeAccessChallenge)
	expect(t, m,
		`radsec_gw_route_requests_total{fate="server_silent",route="example.org"} 1`,
		`radsec_gw_route_answers_total{code="Access-Challenge",route="example.org"} 1`)
}
