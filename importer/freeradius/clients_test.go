package freeradius

import (
	"fmt"
	"strings"
	"testing"

	"radsec-gw/importer/importertest"
)

// radsecListen is a listen section that takes the clients beside it.
const radsecListen = `
listen {
	ipaddr = 192.0.2.1
	type = auth
	proto = tcp
	tls {
		certificate_file = /none/server.pem
		private_key_file = /none/server.key
		ca_file = /none/ca.pem
	}
}
`

// Clients with one shortname get names that the gateway accepts.
func TestEqualShortnames(t *testing.T) {
	text := radsecListen
	for i := range 60 {
		text += fmt.Sprintf("client c%d {\nipaddr = 192.0.2.%d\nproto = tls\nshortname = aps\nsecret = 0123456789abcdef\n}\n", i, i)
	}
	d, err := importText(text, nil)
	if err != nil {
		t.Fatal(err)
	}
	written := importertest.Text(t, d)
	for _, name := range []string{`"aps"`, `"aps-2"`, `"aps-60"`} {
		if strings.Count(written, "name = "+name+"\n") != 1 {
			t.Errorf("expected one client of the name %s", name)
		}
	}
	importertest.CheckLoads(t, written)
}
