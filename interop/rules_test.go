package interop

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"radsec-gw/bench/process"
	"radsec-gw/interop/testbed"
	"radsec-gw/probe"
)

// eapServerConf is hostapd as a RADIUS server, which knows users by the identity in EAP and
// not by User-Name. It takes: the directory of the certificates, the directory of the files, the
// port.
const eapServerConf = `
driver=none
interface=eap0
eap_server=1
eap_user_file=%[2]s/users
ca_cert=%[1]s/eap-ca.pem
server_cert=%[1]s/eap-server.pem
private_key=%[1]s/eap-server.key
radius_server_clients=%[2]s/clients
radius_server_auth_port=%[3]d
`

const eapUsers = `* PEAP,TTLS,TLS
"bob" MSCHAPV2,TTLS-PAP,TTLS-MSCHAPV2 "hello" [2]
`

// rulesConf takes: ports for RadSec, of hostapd, of FreeRADIUS's accounting and CoA, for metrics.
const rulesConf = `
[listen]
address     = ["127.0.0.1:%[1]d"]
certificate = "certs/server.pem"
private_key = "certs/server.key"
client_ca   = "certs/ca.pem"

[[client]]
name          = "interop"
networks      = ["127.0.0.0/8"]
rules_request = ["without realm", "with realm"]

[[server]]
name      = "hostapd"
address   = "127.0.0.1"
auth_port = %[2]d
acct_port = 0
coa_port  = 0
secret    = "%[6]s"
health    = "none"

[[server]]
name      = "freeradius"
address   = "127.0.0.1"
auth_port = 0
acct_port = %[3]d
coa_port  = 0
secret    = "%[6]s"

[[server]]
name      = "freeradius-coa"
address   = "127.0.0.1"
auth_port = 0
acct_port = 0
coa_port  = %[4]d
secret    = "%[7]s"
health    = "none"

[[route]]
realms  = [""]
packets = ["access"]
servers = ["hostapd"]

[[route]]
realms  = [""]
packets = ["accounting"]
servers = ["freeradius"]

[[route]]
realms  = ["old.example"]
packets = ["coa", "disconnect"]
servers = ["freeradius-coa"]

# The server knows users without a realm, the NAS with one.
[[rule]]
name    = "without realm"
packets = ["access", "accounting"]
replace = [{ attribute = "User-Name", pattern = '@old\.example$', with = "" }]

[[rule]]
name    = "with realm"
packets = ["coa", "disconnect"]
replace = [{ attribute = "User-Name", pattern = '^[^@]+$', with = "${0}@old.example" }]

[metrics]
address = "127.0.0.1:%[5]d"
`

// A session of a user whose realm a rule takes: the EAP conversation, its keys, its accounting,
// and a CoA and a Disconnect for it, for which another rule gives the realm back. The routes
// are for users without a realm, so requests that kept theirs would reach no server.
//
//	eapol_test, radclient --UDP--> radsecproxy --TLS--> gateway --UDP--> hostapd, FreeRADIUS
//
// Rules: AR2, AR5, AR6
func TestSessionWithoutItsRealm(t *testing.T) {
	n, b, server := startRules(t)
	ca, certificate, key := shared.path("freeradius/certs/eap-ca.pem"), shared.path("freeradius/certs/eap-client.pem"), shared.path("freeradius/certs/eap-client.key")
	for _, row := range []struct{ name, network string }{
		{"PEAP MS-CHAPv2", lines("key_mgmt=WPA-EAP", "eap=PEAP", `identity="bob"`, `anonymous_identity="anonymous@old.example"`, `password="hello"`, `phase2="auth=MSCHAPV2"`, fmt.Sprintf("ca_cert=%q", ca))},
		{"EAP-TTLS PAP", lines("key_mgmt=WPA-EAP", "eap=TTLS", `identity="bob"`, `anonymous_identity="anonymous@old.example"`, `password="hello"`, `phase2="auth=PAP"`, fmt.Sprintf("ca_cert=%q", ca))},
		{"EAP-TLS", lines("key_mgmt=WPA-EAP", "eap=TLS", `identity="anonymous@old.example"`, fmt.Sprintf("ca_cert=%q", ca), fmt.Sprintf("client_cert=%q", certificate), fmt.Sprintf("private_key=%q", key))},
	} {
		t.Run(row.name, func(t *testing.T) {
			with, without := server.Output().Count("Value: 'anonymous@old.example'"), server.Output().Count("Value: 'anonymous'")
			r := n.eapolTest(t, row.network, true)
			expect(t, testbed.Result{Output: process.LastLines(r.Output, 20), Status: r.Status}, 0, "SUCCESS")
			if !strings.Contains(r.Output, "MPPE keys OK: 1  mismatch: 0") {
				t.Error("eapol_test does not report its MPPE keys as right")
			}
			if got := server.Output().Count("Value: 'anonymous@old.example'") - with; got != 0 {
				t.Errorf("the server has seen the realm in %d User-Names, expected none", got)
			}
			if !testbed.Eventually(patience, func() bool { return server.Output().Count("Value: 'anonymous'") > without }) {
				t.Errorf("the server has seen no User-Name without the realm; it printed:\n%s", process.LastLines(server.Printed(), 40))
			}
		})
	}
	session := "rules-" + rand.Text()
	r := n.radclient("acct", fmt.Sprintf("User-Name = \"bob@old.example\"\nNAS-Identifier = \"interop\"\nAcct-Status-Type = Start\nAcct-Session-Id = %q\n", session))
	expect(t, r, 0, "Received Accounting-Response")
	expectOnce(t, session, "Start")
	if user := recordOf(t, session); !strings.Contains(user, "User-Name = \"bob\"\n") {
		t.Errorf("the record has not the name that the login had, \"bob\":\n%s", user)
	}
	for _, kind := range []probe.Kind{probe.CoA, probe.Disconnect} {
		got := b.probe(probe.Config{Kind: kind, User: "nak-me", Attributes: []string{"Acct-Session-Id=" + session}})
		// FreeRADIUS as the NAS refuses the user nak-me by name; with the realm it is another.
		expect(t, got, 0, "-ACK")
	}
}

// recordOf returns the record of a session in the detail file.
func recordOf(t *testing.T, session string) string {
	t.Helper()
	detail, err := os.ReadFile(shared.path("freeradius/log/detail"))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range strings.Split(string(detail), "\n\n") {
		if strings.Contains(entry, fmt.Sprintf("Acct-Session-Id = %q", session)) {
			return entry
		}
	}
	return ""
}

// startRules starts a server for EAP, a gateway with rules, and radsecproxy in front of it.
func startRules(t *testing.T) (nas, *bed, *process.Process) {
	t.Helper()
	b := &bed{dir: t.TempDir()}
	if err := b.ports.choose(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"conf":    fmt.Sprintf(eapServerConf, shared.path("freeradius/certs"), dir, b.ports.auth),
		"users":   eapUsers,
		"clients": "127.0.0.1 " + udpSecret + "\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	server, err := start(nil, "hostapd", "-dd", filepath.Join(dir, "conf"))
	stopAtEnd(t, server)
	if err == nil {
		err = server.Await("AP-ENABLED", patience)
	}
	if err == nil {
		err = b.serve(fmt.Sprintf(rulesConf, b.ports.radsec, b.ports.auth, shared.ports.acct, shared.ports.coa, b.ports.metrics, udpSecret, coaSecret))
		stopAtEnd(t, b.gateway)
	}
	if err == nil {
		b.radsecproxy, err = radsecproxyConfig{NAS: b.ports.nas, RadSec: b.ports.radsec, Certs: b.path("certs"), NASSecret: nasSecret}.start(b.dir)
		stopAtEnd(t, b.radsecproxy)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.throughRadsecproxy(), b, server
}
