package freeradius

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"radsec-gw/importer"
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

// Clients with one shortname, and home servers with a secret and a password, get a file for
// each secret.
func TestSecretFiles(t *testing.T) {
	const text = radsecListen + `
client a {
	ipaddr = 192.0.2.1
	proto = tls
	shortname = aps
	secret = secret-of-a
}
client b {
	ipaddr = 192.0.2.2
	proto = tls
	shortname = aps
	secret = secret-of-b
}
home_server freeradius {
	ipaddr = 192.0.2.3
	secret = secret-of-home
	status_check = request
	username = u
	password = p
}
`
	d := &importer.Draft{Source: "raddb", SecretDir: "/secrets"}
	source := importer.NewSource(fstest.MapFS{"r/radiusd.conf": {Data: []byte(text)}})
	if err := Import(source, "/r", d, Options{Random: fixed{}, LookupEnv: testEnv}); err != nil {
		t.Fatal(err)
	}
	importertest.CheckSecretFiles(t, d, map[string]string{"aps": "secret-of-a", "aps-2": "secret-of-b", "freeradius-2": "secret-of-home"})
}

// Where nothing listens with TLS, the clients that a clients section names are imported,
// too.
func TestNamedClientsOverUDP(t *testing.T) {
	d, err := importText("clients some {\nclient named {\nipaddr = 192.0.2.1\nsecret = 0123456789abcdef\n}\n}\nlisten {\ntype = auth\nclients = some\n}\n", nil)
	if err != nil {
		t.Fatal(err)
	}
	if written := importertest.Text(t, d); !strings.Contains(written, "name = \"named\"\n") {
		t.Errorf("expected the client, got\n%s", written)
	}
}
