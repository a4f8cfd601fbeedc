package interop

import (
	"fmt"
	"os"
	"os/exec"
	"testing"

	"radsec-gw/bench/process"
	"radsec-gw/certs"
)

// A client that does not trust the gateway's certificate is reported with its alert's
// name and what to do: OpenSSL sends that in clear under TLS 1.3.
//
// Rules: P103
func TestClientsThatDoNotTrustTheGateway(t *testing.T) {
	other := t.TempDir()
	if _, err := certs.WriteDir(other, certs.DirOptions{Clients: []string{"client"}}); err != nil {
		t.Fatal(err)
	}
	var p bedPorts
	if err := p.choose(); err != nil {
		t.Fatal(err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", shared.ports.radsec)
	openssl := func(version string) func(t *testing.T) {
		return func(t *testing.T) {
			out, err := exec.Command("openssl", "s_client", "-connect", address, version, "-CAfile", other+"/ca.pem", "-verify_return_error",
				"-cert", shared.path("certs/client.pem"), "-key", shared.path("certs/client.key")).CombinedOutput()
			if err == nil {
				t.Errorf("openssl trusts the gateway: %s", out)
			}
		}
	}
	for _, c := range []struct {
		name    string
		connect func(t *testing.T)
	}{
		{"openssl, TLS 1.2", openssl("-tls1_2")},
		{"openssl, TLS 1.3", openssl("-tls1_3")},
		{"radsecproxy", func(t *testing.T) {
			config := fmt.Sprintf("ListenUDP 127.0.0.1:%d\nLogLevel 3\n"+
				"tls default {\n\tCACertificateFile %s\n\tCertificateFile %s\n\tCertificateKeyFile %s\n}\n"+
				"client nas {\n\thost 127.0.0.1\n\ttype udp\n\tsecret %s\n}\n"+
				"server gateway {\n\thost 127.0.0.1\n\tport %d\n\ttype tls\n\tsecret radsec\n}\nrealm * {\n\tserver gateway\n}\n",
				p.nas, other+"/ca.pem", shared.path("certs/client.pem"), shared.path("certs/client.key"), nasSecret, shared.ports.radsec)
			file := other + "/radsecproxy.conf"
			if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
				t.Fatal(err)
			}
			proxy, err := start(nil, "radsecproxy", "-f", "-c", file)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { proxy.Stop(patience) })
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := untrusted(shared.gateway.Printed())
			c.connect(t)
			if !shared.gateway.Output().Await(patience, func(text string) bool { return untrusted(text) > before }) {
				t.Fatalf("no line reports the alert unknown_ca; the gateway printed:\n%s", shared.gateway.Printed())
			}
		})
	}
}

// untrusted counts the lines of the gateway's log about peers that do not know its CA.
func untrusted(log string) int {
	return process.CountLines(log, "result=peer_alert", "the alert unknown_ca: the peer does not trust this gateway's certificate: give it the CA that signed it, ")
}
