package detail

import (
	"strings"

	"radsec-gw/wire/dict"
)

// differing are attributes that FreeRADIUS 3 does not have under our name, or has with another
// type; read only. They are written without a name.
var differing = []struct {
	vendor      uint32
	first, last uint16
	sub         byte
	reused      bool // FreeRADIUS writes something else under our name
}{
	{first: 94, last: 94},                       // Originating-Line-Info: a text, in 3.0
	{first: 103, last: 122, reused: true},       // Digest authentication: FreeRADIUS has attributes of its own
	{first: 141, last: 141, reused: true},       // PKM-SAID: a number
	{first: 144, last: 144},                     // DS-Lite-Tunnel-Name: octets, in 3.2.10
	{first: 245, last: 245, sub: 1},             // SAML-Assertion: not there
	{first: 245, last: 245, sub: 2},             // SAML-Protocol: not there
	{vendor: 311, first: 2, last: 2},            // MS-CHAP-Error: a text
	{vendor: 14122, first: 12, last: 1<<16 - 1}, // of the WBA: not in 3.2.1
}

// differs reports whether an attribute must be written without its name, and whether FreeRADIUS
// writes something else under its name.
func differs(a *dict.Attribute) (differs, reused bool) {
	for _, d := range differing {
		if a.Vendor == d.vendor && a.Number >= d.first && a.Number <= d.last && a.Sub == d.sub {
			return true, d.reused
		}
	}
	return false, false
}

// Names that say something of a record to FreeRADIUS and to the Reader.
const (
	nameTimestamp = "Timestamp"
	nameDone      = "Donestamp" // what FreeRADIUS makes of it when it has processed the record
	namePacket    = "Packet-Type"
	nameSource4   = "Packet-Src-IP-Address"
	nameSource6   = "Packet-Src-IPv6-Address"
	nameSource    = "Packet-Src-Port"
)

// internal are names that FreeRADIUS writes and that are not attributes of RADIUS: of its modules,
// its virtual attributes, and what only detail files have. Read only.
var internal = []string{
	nameTimestamp, nameDone,
	"Request-Authenticator",
	"Acct-Input-Octets64",
	"Acct-Output-Octets64",
	"Acct-Session-Start-Time",
	"Acct-Unique-Session-Id",
	"Called-Station-SSID",
	"Client-IP-Address",
	"Client-Shortname",
	"EAP-Type",
	"Hint",
	"Huntgroup-Name",
	"Inner-Realm-Name",
	"LDAP-UserDN",
	"Load-Balance-Key",
	"Outer-Realm-Name",
	"Pool-Name",
	"Proxy-To-Realm",
	"Realm",
	"Stripped-User-Domain",
	"Stripped-User-Name",
	"Virtual-Server",
}

// internalPrefixes begin names of the same kind; read only.
var internalPrefixes = []string{"Cache-", "FreeRADIUS-", "Home-Server-", "Module-", "Packet-", "REST-", "SQL-", "TLS-", "Tmp-"}

// isInternal reports whether a name is one of FreeRADIUS's own, ignoring case.
func isInternal(name string) bool {
	for _, n := range internal {
		if strings.EqualFold(n, name) {
			return true
		}
	}
	for _, p := range internalPrefixes {
		if len(name) > len(p) && strings.EqualFold(name[:len(p)], p) {
			return true
		}
	}
	return false
}
