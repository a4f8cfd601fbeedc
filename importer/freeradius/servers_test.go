package freeradius

import (
	"strings"
	"testing"

	"radsec-gw/importer/importertest"
)

// Ports and addresses that the draft cannot have are noted.
func TestPortsAndAddressesAreNoted(t *testing.T) {
	const text = radsecListen + `
security {
	status_server = yes
}
listen {
	type = auth
	ipaddr = 192.0.2.10
}
listen {
	type = acct
	ipaddr = 192.0.2.11
}
listen {
	ipaddr = 192.0.2.12
	port = 70000
	proto = tcp
	tls {
		certificate_file = /none/server.pem
		private_key_file = /none/server.key
		ca_file = /none/ca.pem
	}
}
client radsec {
	ipaddr = 192.0.2.4
	proto = tls
}
home_server last {
	type = auth
	ipaddr = 198.51.100.1
	port = 65535
	secret = 0123456789abcdef
}
home_server beyond {
	type = auth+acct
	ipaddr = 198.51.100.2
	port = 65535
	secret = 0123456789abcdef
}
home_server word {
	type = acct
	ipaddr = 198.51.100.3
	port = high
	secret = 0123456789abcdef
}
`
	d, err := importText(text, nil)
	if err != nil {
		t.Fatal(err)
	}
	checkNotes(t, d, "port = 70000: ", "port = 65535: ", "port = high: ", "ipaddr = 192.0.2.11: a [[server]] has one address, here 192.0.2.10.")
	written := importertest.Text(t, d)
	if strings.Count(written, "auth_port = 65535\n") != 1 || !strings.Contains(written, "192.0.2.12:2083") {
		t.Errorf("expected one port 65535 and the port 2083, got\n%s", written)
	}
	importertest.CheckLoads(t, written)
}
