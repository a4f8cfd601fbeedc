package metrics

import (
	"crypto/tls"
	"testing"
)

func TestCountsOfConnectionsArrive(t *testing.T) {
	m, _, _ := filled(t)
	m.TLS().CountHandshake(HandshakeNotTLS)
	m.TLS().CountSession(tls.VersionTLS13, true)
	m.TLS().AddHandshaking(1)
	m.TLS().AddQueued(2)
	m.TLS().AddSilent(3)
	m.TLS().CountSlotsFull()
	m.TLS().AddWaiting(77)
	expect(t, m,
		`radsec_gw_tls_handshakes_total{result="not_tls"} 1`,
		`radsec_gw_tls_sessions_total{resumed="yes",version="1.3"} 1`,
		`radsec_gw_tls_sessions_total{resumed="no",version="1.2"} 0`,
		`radsec_gw_tls_handshakes_in_progress 1`,
		`radsec_gw_tls_handshakes_waiting 2`,
		`radsec_gw_tls_handshake_slots_full_total 1`,
		`radsec_gw_tls_silent_connections 3`,
		`radsec_gw_tls_waiting_bytes 77`)
}
