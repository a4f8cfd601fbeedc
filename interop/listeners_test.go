package interop

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"radsec-gw/bench/ports"
	"radsec-gw/bench/process"
	"radsec-gw/certs"
	"radsec-gw/interop/testbed"
)

// federationsConf is a gateway of three federations in front of FreeRADIUS. It takes: three ports for
// RadSec, the server's authentication and accounting ports and its secret.
const federationsConf = `
[listen]
address     = ["127.0.0.1:%[1]d"]
certificate = "campus/server.pem"
private_key = "campus/server.key"
client_ca   = "campus/ca.pem"
clients     = ["campus"]

[[certificate]]
certificate = "campus/rsa.pem"
private_key = "campus/rsa.key"

[[listener]]
name        = "eduroam"
address     = ["127.0.0.1:%[2]d"]
certificate = "eduroam/server.pem"
private_key = "eduroam/server.key"
client_ca   = "eduroam/ca.pem"
clients     = ["eduroam"]

[[listener]]
name        = "openroaming"
address     = ["127.0.0.1:%[3]d"]
certificate = "openroaming/server.pem"
private_key = "openroaming/server.key"
client_ca   = "openroaming/ca.pem"
clients     = ["openroaming"]

[[client]]
name = "campus"
[[client]]
name = "eduroam"
[[client]]
name = "openroaming"

[[server]]
name      = "freeradius"
address   = "127.0.0.1"
auth_port = %[4]d
acct_port = %[5]d
coa_port  = 0
secret    = "%[6]s"

[[route]]
realms  = ["*", ""]
packets = ["access", "accounting"]
servers = ["freeradius"]

[metrics]
address = ""

[log]
level = "debug"
`

// startFederations runs a gateway of three federations, and returns where each listens, in their order.
func startFederations(t *testing.T, names []string) (dir string, listens []int, gateway *process.Process) {
	t.Helper()
	dir = t.TempDir()
	args := []any{}
	listens, err := ports.TCP(len(names))
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range names {
		if _, err := certs.WriteDir(filepath.Join(dir, name), certs.DirOptions{Clients: []string{"client"}}); err != nil {
			t.Fatal(err)
		}
		args = append(args, listens[i])
	}
	makeRSAPair(t, filepath.Join(dir, names[0]))
	file := filepath.Join(dir, "radsec-gw.toml")
	text := fmt.Sprintf(federationsConf, append(args, shared.ports.auth, shared.ports.acct, udpSecret)...)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	expect(t, run(patience, "", testbed.Program(), "check", "-config", file), 0, "listener ", "eduroam", "openroaming")
	gateway, err = start(nil, testbed.Program(), "serve", "-config", file)
	stopAtEnd(t, gateway)
	if err != nil {
		t.Fatal(err)
	}
	if !gateway.Output().Await(patience, func(text string) bool { return strings.Contains(text, "msg=serving") }) {
		t.Fatalf("the gateway does not serve:\n%s", gateway.Printed())
	}
	return dir, listens, gateway
}

// makeRSAPair makes a certificate with an RSA key, by openssl, signed by the CA of a directory.
func makeRSAPair(t *testing.T, dir string) {
	t.Helper()
	for _, args := range [][]string{
		{"req", "-newkey", "rsa:2048", "-nodes", "-keyout", "rsa.key", "-out", "rsa.csr", "-subj", "/CN=rsa.example.org", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-addext", "extendedKeyUsage=serverAuth"},
		{"x509", "-req", "-in", "rsa.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-copy_extensions", "copyall", "-out", "rsa.pem"},
	} {
		cmd := exec.Command("openssl", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("openssl %s: %v\n%s", args[0], err, out)
		}
	}
}

// radsecproxy, which asks for no name, has the certificate of its federation by the address that
// it connects to, and verifies it; a user logs in through each. At another federation's listener it
// is refused, whichever of both does not trust the other.
// Rules: TR5, TR6
func TestRadsecproxyInThreeFederations(t *testing.T) {
	names := []string{"campus", "eduroam", "openroaming"}
	dir, listens, gateway := startFederations(t, names)
	for i, name := range names {
		var p bedPorts
		if err := p.choose(); err != nil {
			t.Fatal(err)
		}
		proxy, err := radsecproxyConfig{NAS: p.nas, RadSec: listens[i], Certs: filepath.Join(dir, name), NASSecret: nasSecret}.start(t.TempDir())
		stopAtEnd(t, proxy)
		if err != nil {
			t.Fatalf("radsecproxy of %s: %v\n%s", name, err, gateway.Printed())
		}
		expect(t, nas{auth: p.nas}.radclient("auth", "User-Name = bob\nUser-Password = hello\n"), 0, "Received Access-Accept")
		if text := fmt.Sprintf("client=%s ", name); !strings.Contains(gateway.Printed(), text) {
			t.Errorf("no line has %q", text)
		}
	}
	for i, name := range names {
		at := listens[(i+1)%len(listens)]
		out, err := exec.Command("openssl", "s_client", "-connect", fmt.Sprintf("127.0.0.1:%d", at), "-tls1_2", "-noservername",
			"-cert", filepath.Join(dir, name, "client.pem"), "-key", filepath.Join(dir, name, "client.key")).CombinedOutput()
		if err == nil || !bytes.Contains(out, []byte("alert")) {
			t.Errorf("a client of %s is not refused at another federation's listener: %v\n%s", name, err, out)
		}
	}
}

// openssl gets the certificate that it can verify: the one with the ECDSA key, or with
// the RSA key, in both versions of TLS, with the name and without.
// Rules: TR6
func TestOpenSSLGetsTheCertificateThatItCanVerify(t *testing.T) {
	dir, listens, _ := startFederations(t, []string{"campus", "eduroam", "openroaming"})
	for sigalgs, want := range map[string]string{"ECDSA+SHA256": "id-ecPublicKey", "RSA-PSS+SHA256:RSA+SHA256": "rsaEncryption"} {
		for _, args := range [][]string{{"-tls1_2", "-noservername"}, {"-tls1_3", "-noservername"}, {"-tls1_2", "-servername", "localhost"}, {"-tls1_3", "-servername", "localhost"}} {
			r := run(patience, "", "openssl", append([]string{"s_client", "-connect", fmt.Sprintf("127.0.0.1:%d", listens[0]), "-sigalgs", sigalgs,
				"-CAfile", filepath.Join(dir, "campus", "ca.pem"), "-verify_return_error",
				"-cert", filepath.Join(dir, "campus", "client.pem"), "-key", filepath.Join(dir, "campus", "client.key")}, args...)...)
			pem := regexp.MustCompile(`(?s)-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n`).FindString(r.Output)
			if pem == "" {
				t.Errorf("%s %v: openssl shows no certificate:\n%s", sigalgs, args, r.Output)
				continue
			}
			expect(t, run(patience, pem, "openssl", "x509", "-noout", "-text"), 0, want)
		}
	}
}
