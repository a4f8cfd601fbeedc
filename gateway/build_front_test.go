package gateway

import (
	"reflect"
	"strings"
	"testing"

	"radsec-gw/gateway/gatewaytest"
	"radsec-gw/identity"
)

// What identity compares with the certificate counts as a condition on it in config too,
// whose warnings and check's output depend on that.
func TestConditionsOnTheCertificate(t *testing.T) {
	file := keysFile(t)
	of := func(text string) (built identity.Client, byCertificate bool) {
		gatewaytest.WriteFile(t, file, []byte(text))
		p := planOf(t, file)
		c, err := buildIdentity(&p.Config.Clients[0], p.files.ownCAs[0])
		if err != nil {
			t.Fatal(err)
		}
		built = c.Client
		built.Name, built.Networks = "", nil
		return built, p.Config.Clients[0].ByCertificate()
	}
	before, _ := of(keysConfig)
	for name, change := range clientChanges() {
		after, byCertificate := of(change.text(t, name))
		if compared := !reflect.DeepEqual(before, after); compared != byCertificate {
			t.Errorf("%s: compared with the certificate: %t, in ByCertificate: %t", strings.TrimPrefix(name, "Clients."), compared, byCertificate)
		}
	}
}

// A refusal names a client of another listener only if that has the same CAs and the client can be
// told from others, with the reason that keeps it out here.
// Rules: P108, TR5
func TestWhyAClientIsNotAcceptedHere(t *testing.T) {
	file := keysFile(t)
	const client = "[[client]]\nname = \"campus\"\n"
	gatewaytest.WriteFile(t, file, []byte(strings.Replace(strings.Replace(keysConfig, "[listen]\n", "[listen]\nclients = [\"campus\"]\n", 1), client, `[[listener]]
name = "dtls"
transport = "dtls"
address = ["127.0.0.1:0"]
clients = []
[[listener]]
name = "other"
client_ca = "certs/other/ca.pem"
address = ["127.0.0.1:0"]
clients = ["foreign"]
[[client]]
name = "both"
san_dns = ["both"]
transports = ["tls", "dtls"]
[[client]]
name = "datagrams"
san_dns = ["datagrams"]
transports = ["dtls"]
[[client]]
name = "foreign"
san_dns = ["foreign"]
[[client]]
name = "open"
transports = ["dtls"]
`+client, 1)))
	p := planOf(t, file)
	here := p.files.fronts[0]
	want := map[string]string{
		"both":      `at the listener "dtls" only: the clients of this one do not name it`,
		"datagrams": `its transports do not have "tls"`,
		"foreign":   "", // its certificates are of other CAs
		"open":      "", // everybody is that
	}
	for i := range p.Config.Clients {
		c := &p.Config.Clients[i]
		if got := whyNot(p.Config, here, c); c.Name != "campus" && got != want[c.Name] {
			t.Errorf("%s: %q, expected %q", c.Name, got, want[c.Name])
		}
	}
}
