package metrics

import "radsec-gw/wire"

// Port is one of the three UDP ports of a RADIUS server: its label in metrics, log
// lines and on the status page.
type Port string

// The ports.
const (
	PortAuth Port = "auth" // Access-Request
	PortAcct Port = "acct" // Accounting-Request
	PortCoA  Port = "coa"  // CoA-Request and Disconnect-Request
)

// Ports are all of them, in the order in which they are shown.
var Ports = [...]Port{PortAuth, PortAcct, PortCoA}

// PortOf returns the port that requests of a kind go to, "" for a kind that is not sent
// to servers.
func PortOf(k wire.Kind) Port {
	switch k {
	case wire.KindAccess:
		return PortAuth
	case wire.KindAccounting:
		return PortAcct
	case wire.KindCoA, wire.KindDisconnect:
		return PortCoA
	}
	return ""
}
