package dtlsfront_test

import (
	"radsec-gw/dtlsfront"
	"radsec-gw/relay"
)

// The relay answers a session, and handles its packets.
var (
	_ relay.Peer     = (*dtlsfront.Session)(nil)
	_ dtlsfront.Sink = (*relay.Connection)(nil)
)
