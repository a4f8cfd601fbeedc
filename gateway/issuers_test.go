package gateway

import (
	"crypto/x509"
	"math/big"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"radsec-gw/certs"
	"radsec-gw/certs/certstest"
	"radsec-gw/gateway/gatewaytest"
)

// identityConfig is a configuration in which tests replace the line "# more of listen" and
// the conditions of the client.
const identityConfig = `[listen]
address = ["127.0.0.1:0"]
certificate = "certs/dev/server.pem"
private_key = "certs/dev/server.key"
client_ca = "client_ca.pem"
# more of listen
[[client]]
name = "campus"
# conditions
[[server]]
name = "udp"
address = "127.0.0.1"
secret = "secret-of-this-test"
health = "none"
[[route]]
realms = ["example.org"]
servers = ["udp"]
[metrics]
address = "127.0.0.1:0"
`

// startForIdentity starts a gateway with identityConfig and a line of [listen]. Its client CA
// is the development CA.
func startForIdentity(t *testing.T, listen string) (g *Gateway, dir string) {
	t.Helper()
	dir, file := gatewaytest.Dir(t, strings.Replace(identityConfig, "# more of listen", listen, 1))
	ca := need(certs.LoadSigner(filepath.Join(dir, "certs/dev/ca.pem"), filepath.Join(dir, "certs/dev/ca.key")))
	gatewaytest.WriteFile(t, filepath.Join(dir, "client_ca.pem"), ca.CertPEM())
	return runPlan(t, planOf(t, file)), dir
}

// Mistakes inside the files of certificates and lists, and of clients, have their place.
//
// Rules: TR1, TR4
func TestMistakesInIssuers(t *testing.T) {
	one, two := need(certs.NewCA("CA one")), need(certs.NewCA("CA two"))
	now := time.Now()
	list := need(certstest.CRL(two, now, now.Add(time.Hour)))
	for _, c := range []struct {
		says               string
		ca                 []byte
		listen, conditions string
		want               string // "": no mistake
	}{
		{"a list of a client's CA", one.CertPEM(), `crl = ["two.crl"]`, `ca = "two.pem"`, ""},
		{"a list of an intermediate", one.CertPEM(), "crl = [\"two.crl\"]\nintermediates = [\"two.pem\"]", ``, ""},
		{"a list that no issuer has signed", one.CertPEM(), `crl = ["two.crl"]`, ``, "6: listen.crl[0]: "},
		{"and what helps", one.CertPEM(), `crl = ["two.crl"]`, ``, "put its certificate into [listen].intermediates"},
		{"a list beside a client's CA", one.CertPEM(), "", `ca = "two-and-list.pem"`, ""},
		{"a list that no issuer has signed beside a client's CA", one.CertPEM(), "", `ca = "one-and-list.pem"`, "one-and-list.pem: the revocation list of CN=CA two"},
		{"a list that no issuer has signed beside the CA", append(one.CertPEM(), pemOf("X509 CRL", list)...), "", "", "client_ca.pem: the revocation list of CN=CA two"},
		{"a client's CA that is not a CA", one.CertPEM(), "", `ca = "leaf.pem"`, "9: client[0].ca: "},
		{"one of a client's CAs that is not a CA", one.CertPEM(), "", `ca = ["two.pem", "leaf.pem"]`, "9: client[0].ca[1]: "},
		{"a realm twice", one.CertPEM(), "", `realms = ["a.example", "A.example"]`, "9: client[0].realms[1]: \"A.example\" is listed twice"},
		{"operators", one.CertPEM(), "", "realms = [\"a.example\"]\noperators = [\"wbaid:X\", \"e212:*\"]", ""},
		{"an operator of no namespace", one.CertPEM(), "", "realms = [\"a.example\"]\noperators = [\"wbaid:X\", \"other:X\"]", "10: client[0].operators[1]: expected \"tadig:\""},
		{"an operator twice", one.CertPEM(), "", "realms = [\"a.example\"]\noperators = [\"wbaid:X\", \"wbaid:x\"]", "10: client[0].operators[1]: the client may send coa packets of operator \"wbaid:x\" already"},
		{"operators without realms", one.CertPEM(), "", `operators = ["wbaid:X"]`, "9: client[0].operators: expected realms beside it"},
		{"realms", one.CertPEM(), "", `realms = ["a.example", "*.b.example", ""]`, ""},
		{"an attribute of no type", one.CertPEM(), "", `subject_rdn = ["USER=x"]`, "9: client[0].subject_rdn[0]: expected an attribute type of CN, "},
	} {
		dir, file := gatewaytest.Dir(t, strings.NewReplacer("# more of listen", c.listen, "# conditions", c.conditions).Replace(identityConfig))
		for name, b := range map[string][]byte{"client_ca.pem": c.ca, "two.pem": two.CertPEM(), "two.crl": list,
			"two-and-list.pem": append(two.CertPEM(), pemOf("X509 CRL", list)...), "one-and-list.pem": append(one.CertPEM(), pemOf("X509 CRL", list)...),
			"leaf.pem": pemOf("CERTIFICATE", need(one.Client("x")).Certificate.Raw)} {
			gatewaytest.WriteFile(t, filepath.Join(dir, name), b)
		}
		_, err := Load(t.Context(), file)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: expected a mistake with %q, got %v", c.says, c.want, err)
		}
	}
}

// A CA with a negative serial number is accepted.
func TestNegativeSerialNumber(t *testing.T) {
	ca := need(certs.NewCA("CA", func(c *x509.Certificate) { c.SerialNumber = big.NewInt(0x55) }))
	// crypto/x509 does not make such a certificate: the number is changed in place. The
	// signature is wrong then, which is not checked in a CA's own certificate.
	der := ca.Certificate.Raw
	at := strings.Index(string(der), "\x02\x01\x55")
	if at < 0 {
		t.Fatal("the certificate has no serial number to change")
	}
	der[at+2] = 0x85
	dir, file := gatewaytest.Dir(t, identityConfig)
	gatewaytest.WriteFile(t, filepath.Join(dir, "client_ca.pem"), pemOf("CERTIFICATE", der))
	planOf(t, file)
}

// A client's CA and the intermediates are read again when their files change.
//
// Rules: TR1, P109
func TestIssuersAreReadAgain(t *testing.T) {
	one, two := need(certs.NewCA("one")), need(certs.NewCA("two"))
	dir, file := gatewaytest.Dir(t, strings.NewReplacer("# more of listen", `intermediates = ["two.pem"]`, "# conditions", `ca = "one.pem"`).Replace(identityConfig))
	for name, ca := range map[string]*certs.CA{"client_ca.pem": one, "one.pem": one, "two.pem": two} {
		gatewaytest.WriteFile(t, filepath.Join(dir, name), ca.CertPEM())
	}
	g := runPlan(t, planOf(t, file))
	for _, name := range []string{"one.pem", "two.pem"} {
		fresh := need(certs.NewCA("fresh"))
		gatewaytest.WriteFile(t, filepath.Join(dir, name), fresh.CertPEM())
		if err := g.reloadFiles(); err != nil {
			t.Fatal(err)
		}
		cfg := g.listen().Config()
		list := map[string][]*x509.Certificate{"one.pem": cfg.Clients[0].CA, "two.pem": cfg.Intermediates}[name]
		if len(list) != 1 || !list[0].Equal(fresh.Certificate) {
			t.Errorf("%s: expected the new certificate, got %d others", name, len(list))
		}
	}
}
