package gateway

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"radsec-gw/certs"
	"radsec-gw/gateway/gatewaytest"
)

// identityConfig is a file whose line "# more of listen" and whose client are
// replaced by tests.
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

// pemOf writes blocks of one type.
func pemOf(kind string, ders ...[]byte) (text []byte) {
	for _, der := range ders {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})...)
	}
	return text
}

func need[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// What lets in more than its writer may mean is warned of, and so is what does less.
//
// Rules: TR1, TR3, TR4, P105, P106
func TestCheckWarnsAboutIdentity(t *testing.T) {
	one, two := need(certs.NewCA("CA one")), need(certs.NewCA("CA two"))
	now := time.Now()
	pair := need(one.Client("gone"))
	fresh := need(one.CRL(now, now.Add(time.Hour), pair))
	stale := need(one.CRL(now.Add(-2*time.Hour), now.Add(-time.Hour)))
	both := append(one.CertPEM(), two.CertPEM()...)
	var many []byte
	for i := range 300 {
		many = append(many, need(certs.NewCA(strings.Repeat("x", 40)+string(rune('a'+i%26))+string(rune('a'+i/26)))).CertPEM()...)
	}
	for _, c := range []struct {
		says               string
		ca                 []byte
		listen, conditions string
		want, not          []string
	}{
		{"an issuer's name alone, with two CAs", both, "", `issuer = ["CN=CA one"]`, []string{`client[0].issuer: client "campus" is bound to a CA by its name alone, and client_ca has 2 CAs`, `ca = "FILE"`}, nil},
		{"an issuer's name with a fingerprint", both, "", "issuer = [\"CN=CA one\"]\nfingerprints = [\"" + strings.Repeat("ab", 32) + "\"]", nil, []string{"by its name alone"}},
		{"an issuer's name and a CA", both, "", "issuer = [\"CN=CA one\"]\nca = \"one.pem\"", nil, []string{"by its name alone"}},
		{"an issuer's name, with one CA", one.CertPEM(), "", `issuer = ["CN=CA one"]`, nil, []string{"by its name alone"}},
		{"networks only", one.CertPEM(), "", `networks = ["10.0.0.0/8"]`, []string{`client[0]: client "campus" has networks and no condition on its certificate`, `san_ip = ["source"]`}, nil},
		{"networks and the source", one.CertPEM(), "", "networks = [\"10.0.0.0/8\"]\nsan_ip = [\"source\"]", nil, []string{"no condition on its certificate"}},
		{"networks only, without certificates", one.CertPEM(), `client_auth = "none"`, `networks = ["10.0.0.0/8"]`, nil, []string{"no condition on its certificate"}},
		{"a list for one of two", both, `crl = ["one.crl"]`, `san_dns = ["a.example"]`, []string{"listen.crl: there is no revocation list of CN=CA two"}, []string{"there is no revocation list of CN=CA one"}},
		{"a list of no use to the other", one.CertPEM(), "crl = [\"one.crl\"]\nintermediates = [\"two.pem\"]", `san_dns = ["a.example"]`, []string{"listen.intermediates: the certificate of CN=CA two", "does not lead to a certificate of client_ca"}, nil},
		{"a client's CA without a list", one.CertPEM(), `crl = ["one.crl"]`, `ca = ["two.pem", "one.pem"]`, []string{"listen.crl: there is no revocation list of CN=CA two"}, nil},
		{"a list beside the CA", append(one.CertPEM(), pemOf("X509 CRL", stale)...), "", `san_dns = ["a.example"]`, []string{"the revocation list of CN=CA one,O=radsec-gw development has been out of date since"}, nil},
		{"an old list beside a newer one", append(append(one.CertPEM(), pemOf("X509 CRL", stale)...), pemOf("X509 CRL", fresh)...), "", `san_dns = ["a.example"]`, nil, []string{"out of date"}},
		{"an old list that refuses", one.CertPEM(), "crl = [\"stale.crl\"]\ncrl_stale = \"refuse\"", `san_dns = ["a.example"]`, []string{"certificates of this issuer are refused (crl_stale)"}, nil},
		{"300 CAs", many, "", `san_dns = ["a.example"]`, []string{"listen.client_ca: the names of the 300 CAs take "}, nil},
		{"two CAs", both, "", `san_dns = ["a.example"]`, nil, []string{"Warnings"}},
	} {
		dir, file := gatewaytest.Dir(t, strings.NewReplacer("# more of listen", c.listen, "# conditions", c.conditions).Replace(identityConfig))
		for name, octets := range map[string][]byte{"client_ca.pem": c.ca, "one.pem": one.CertPEM(), "two.pem": two.CertPEM(), "one.crl": fresh, "stale.crl": stale} {
			gatewaytest.WriteFile(t, filepath.Join(dir, name), octets)
		}
		out := warningsOf(t, file)
		for _, want := range c.want {
			if !strings.Contains(out, want) {
				t.Errorf("%s: check does not say %q:\n%s", c.says, want, out)
			}
		}
		for _, not := range c.not {
			if strings.Contains(out, not) {
				t.Errorf("%s: check says %q:\n%s", c.says, not, out)
			}
		}
	}
}

// What is wrong inside the files of certificates and lists has its place.
//
// Rules: TR1, TR4
func TestCheckReadsIssuers(t *testing.T) {
	one, two := need(certs.NewCA("CA one")), need(certs.NewCA("CA two"))
	now := time.Now()
	list := need(two.CRL(now, now.Add(time.Hour)))
	for _, c := range []struct {
		says               string
		ca                 []byte
		listen, conditions string
		want               string // "": no mistake
	}{
		{"a list of a client's CA", one.CertPEM(), `crl = ["two.crl"]`, `ca = "two.pem"`, ""},
		{"a list of an intermediate", one.CertPEM(), "crl = [\"two.crl\"]\nintermediates = [\"two.pem\"]", ``, ""},
		{"a list of nobody", one.CertPEM(), `crl = ["two.crl"]`, ``, "6: listen.crl[0]: "},
		{"and what helps", one.CertPEM(), `crl = ["two.crl"]`, ``, "put its certificate into [listen].intermediates"},
		{"a list beside a client's CA", one.CertPEM(), "", `ca = "two-and-list.pem"`, ""},
		{"a list of nobody beside a client's CA", one.CertPEM(), "", `ca = "one-and-list.pem"`, "one-and-list.pem: the revocation list of CN=CA two"},
		{"a list of nobody beside the CA", append(one.CertPEM(), pemOf("X509 CRL", list)...), "", "", "client_ca.pem: the revocation list of CN=CA two"},
		{"a client's CA that is none", one.CertPEM(), "", `ca = "leaf.pem"`, "9: client[0].ca: "},
		{"one of a client's CAs that is none", one.CertPEM(), "", `ca = ["two.pem", "leaf.pem"]`, "9: client[0].ca[1]: "},
		{"a realm twice", one.CertPEM(), "", `realms = ["a.example", "A.example"]`, "9: client[0].realms[1]: \"A.example\" is listed twice"},
		{"operators", one.CertPEM(), "", "realms = [\"a.example\"]\noperators = [\"wbaid:X\", \"e212:*\"]", ""},
		{"an operator of no namespace", one.CertPEM(), "", "realms = [\"a.example\"]\noperators = [\"wbaid:X\", \"other:X\"]", "10: client[0].operators[1]: expected \"tadig:\""},
		{"an operator twice", one.CertPEM(), "", "realms = [\"a.example\"]\noperators = [\"wbaid:X\", \"wbaid:x\"]", "10: client[0].operators[1]: the client may send coa packets of operator \"wbaid:x\" already"},
		{"operators without realms", one.CertPEM(), "", `operators = ["wbaid:X"]`, "9: client[0].operators: expected realms beside it"},
		{"realms", one.CertPEM(), "", `realms = ["a.example", "*.b.example", ""]`, ""},
		{"an attribute of no type", one.CertPEM(), "", `subject_rdn = ["USER=x"]`, "9: client[0].subject_rdn[0]: expected an attribute type of CN, "},
	} {
		dir, file := gatewaytest.Dir(t, strings.NewReplacer("# more of listen", c.listen, "# conditions", c.conditions).Replace(identityConfig))
		for name, octets := range map[string][]byte{"client_ca.pem": c.ca, "two.pem": two.CertPEM(), "two.crl": list,
			"two-and-list.pem": append(two.CertPEM(), pemOf("X509 CRL", list)...), "one-and-list.pem": append(one.CertPEM(), pemOf("X509 CRL", list)...),
			"leaf.pem": pemOf("CERTIFICATE", need(one.Client("x")).Certificate.Raw)} {
			gatewaytest.WriteFile(t, filepath.Join(dir, name), octets)
		}
		_, err := Load(t.Context(), file)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: expected a mistake with %q, got %v", c.says, c.want, err)
		}
	}
}

// A CA with a negative serial number does not stop the start.
func TestNegativeSerialNumber(t *testing.T) {
	ca := need(certs.NewCA("CA", func(c *x509.Certificate) { c.SerialNumber = big.NewInt(0x55) }))
	// crypto/x509 makes none: the number is changed where it stands, and with it the
	// signature, which is not looked at in a CA's own certificate.
	der := ca.Certificate.Raw
	at := strings.Index(string(der), "\x02\x01\x55")
	if at < 0 {
		t.Fatal("the serial number is not where it was expected")
	}
	der[at+2] = 0x85
	dir, file := gatewaytest.Dir(t, identityConfig)
	gatewaytest.WriteFile(t, filepath.Join(dir, "client_ca.pem"), pemOf("CERTIFICATE", der))
	planOf(t, file)
}

// With crl_stale = "refuse" and an old list the gateway serves nobody of that CA, and
// says so on /readyz; a list beside the CA's certificate counts.
//
// Rules: TR4
func TestNotReadyWithAStaleList(t *testing.T) {
	now := time.Now()
	g, dir := startForIdentity(t, `crl_stale = "refuse"`)
	ca := need(certs.LoadSigner(filepath.Join(dir, "certs/dev/ca.pem"), filepath.Join(dir, "certs/dev/ca.key")))
	for _, c := range []struct {
		until time.Time
		want  int
		says  string
	}{{now.Add(time.Hour), http.StatusOK, ""}, {now.Add(-time.Minute), http.StatusServiceUnavailable, "CN="}, {now.Add(2 * time.Hour), http.StatusOK, ""}} {
		gatewaytest.WriteFile(t, filepath.Join(dir, "client_ca.pem"), append(ca.CertPEM(), pemOf("X509 CRL", need(ca.CRL(c.until.Add(-time.Hour), c.until)))...))
		if err := g.Reload(); err != nil {
			t.Fatal(err)
		}
		if got := httpStatus("/readyz")(g); got != c.want {
			t.Errorf("with a list good until %v, /readyz answers %v, want %d", c.until, got, c.want)
		}
		if why := g.notServing(); c.says == "" && why != "" || !strings.Contains(why, c.says) {
			t.Errorf("with a list good until %v the reason is %q", c.until, why)
		}
	}
}

// A list that is out of date keeps the clients of its CA out, and leaves the gateway
// ready for those of another; the status page tells.
//
// Rules: TR4
func TestReadyWithOneStaleListOfTwo(t *testing.T) {
	g, dir := startForIdentity(t, `crl_stale = "refuse"`)
	ca := need(certs.LoadSigner(filepath.Join(dir, "certs/dev/ca.pem"), filepath.Join(dir, "certs/dev/ca.key")))
	old := need(certs.NewCA("old CA"))
	list := need(old.CRL(time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)))
	gatewaytest.WriteFile(t, filepath.Join(dir, "client_ca.pem"), slices.Concat(ca.CertPEM(), old.CertPEM(), pemOf("X509 CRL", list)))
	if err := g.Reload(); err != nil {
		t.Fatal(err)
	}
	if got := httpStatus("/readyz")(g); got != http.StatusOK {
		t.Errorf("/readyz answers %v (%s), want %d", got, g.notServing(), http.StatusOK)
	}
	notices := strings.Join(g.staleLists(), "\n")
	if want := "the revocation list of CN=old CA,O=radsec-gw development has been out of date since "; !strings.HasPrefix(notices, want) || !strings.HasSuffix(notices, ": certificates that it has issued are refused (crl_stale)") {
		t.Errorf("the notices are %q, want %q and that its certificates are refused", notices, want)
	}
}

// A client that is revoked by a list beside the CA's certificate is refused.
//
// Rules: P109
func TestListBesideTheCARevokes(t *testing.T) {
	g, dir := startForIdentity(t, "")
	ca := need(certs.LoadSigner(filepath.Join(dir, "certs/dev/ca.pem"), filepath.Join(dir, "certs/dev/ca.key")))
	pair := need(tls.LoadX509KeyPair(filepath.Join(dir, "certs/dev/client.pem"), filepath.Join(dir, "certs/dev/client.key")))
	connect := func() error {
		// With TLS 1.2 the handshake ends after the server has looked.
		c, err := tls.Dial("tcp", g.Addr().String(), &tls.Config{RootCAs: ca.Pool(), ServerName: "localhost", Certificates: []tls.Certificate{pair}, MaxVersion: tls.VersionTLS12})
		if err == nil {
			c.Close()
		}
		return err
	}
	if err := connect(); err != nil {
		t.Fatalf("before it is revoked the client gets %v", err)
	}
	list := need(ca.CRL(time.Now(), time.Now().Add(time.Hour), &certs.Pair{Certificate: pair.Leaf}))
	gatewaytest.WriteFile(t, filepath.Join(dir, "client_ca.pem"), append(ca.CertPEM(), pemOf("X509 CRL", list)...))
	if err := g.reloadFiles(); err != nil {
		t.Fatal(err)
	}
	if err := connect(); err == nil || !strings.Contains(err.Error(), "bad certificate") {
		t.Errorf("the revoked client gets %v, want the alert bad_certificate", err)
	}
}

// startForIdentity starts a gateway by identityConfig whose client CA is the
// development CA, with a line of listen.
func startForIdentity(t *testing.T, listen string) (g *Gateway, dir string) {
	t.Helper()
	dir, file := gatewaytest.Dir(t, strings.Replace(identityConfig, "# more of listen", listen, 1))
	ca := need(certs.LoadSigner(filepath.Join(dir, "certs/dev/ca.pem"), filepath.Join(dir, "certs/dev/ca.key")))
	gatewaytest.WriteFile(t, filepath.Join(dir, "client_ca.pem"), ca.CertPEM())
	return runPlan(t, planOf(t, file)), dir
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
		cfg := g.front.Config()
		list := map[string][]*x509.Certificate{"one.pem": cfg.Clients[0].CA, "two.pem": cfg.Intermediates}[name]
		if len(list) != 1 || !list[0].Equal(fresh.Certificate) {
			t.Errorf("%s is read again as %d certificates that are not the new one", name, len(list))
		}
	}
}
