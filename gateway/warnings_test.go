package gateway

import (
	"bytes"
	"context"
	"crypto/x509"
	"log/slog"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"radsec-gw/bench/process"
	"radsec-gw/certs"
	"radsec-gw/certs/certstest"
	"radsec-gw/config"
	"radsec-gw/gateway/gatewaytest"
)

// warningsOf returns the warnings about a configuration without mistakes, each on a line
// after the word Warnings; "" when there are none.
func warningsOf(t *testing.T, file string) string {
	t.Helper()
	p := planOf(t, file)
	if list := append(p.Config.Warnings(), p.Warnings(time.Now())...); len(list) > 0 {
		return "Warnings:\n" + strings.Join(list, "\n")
	}
	return ""
}

// There are warnings about conditions that may accept more clients than intended, and about
// lists and certificates that have no effect.
//
// Rules: TR1, TR3, TR4, P105, P106
func TestWarningsAboutIdentity(t *testing.T) {
	one, two := need(certs.NewCA("CA one")), need(certs.NewCA("CA two"))
	now := time.Now()
	pair := need(one.Client("gone"))
	fresh := need(certstest.CRL(one, now, now.Add(time.Hour), pair))
	stale := need(certstest.CRL(one, now.Add(-2*time.Hour), now.Add(-time.Hour)))
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
		for name, b := range map[string][]byte{"client_ca.pem": c.ca, "one.pem": one.CertPEM(), "two.pem": two.CertPEM(), "one.crl": fresh, "stale.crl": stale} {
			gatewaytest.WriteFile(t, filepath.Join(dir, name), b)
		}
		out := warningsOf(t, file)
		for _, want := range c.want {
			if !strings.Contains(out, want) {
				t.Errorf("%s: expected %q, got\n%s", c.says, want, out)
			}
		}
		for _, not := range c.not {
			if strings.Contains(out, not) {
				t.Errorf("%s: expected nothing of %q, got\n%s", c.says, not, out)
			}
		}
	}
}

// Certificates that clients may refuse are warned about.
func TestWarningsAboutCertificates(t *testing.T) {
	ca, err := certs.NewCA("CA", certstest.Valid(10*24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	pair, err := ca.Server(nil, func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	})
	if err != nil {
		t.Fatal(err)
	}
	m := &material{own: []*ownCertificate{{pair: pair.TLS()}}, web: &ownCertificate{}, fronts: []*frontMaterial{{Front: (&config.Config{}).Fronts()[0], clientCAs: []*x509.Certificate{ca.Certificate}}},
		issuerFiles: []issuerFile{{"listen.client_ca", "ca.pem", []*x509.Certificate{ca.Certificate}}}}
	got := strings.Join(append(m.certificateWarnings(&config.Config{}, time.Now()), m.warnings(&config.Config{}, time.Now())...), "\n")
	for _, want := range []string{"expired on ", "no host names or addresses", "is not for servers", "listen.client_ca: ca.pem: the certificate of CN=CA"} {
		if !strings.Contains(got, want) {
			t.Errorf("expected a warning %q, got\n%s", want, got)
		}
	}
	early := &material{own: []*ownCertificate{{pair: pair.TLS()}}}
	if got := strings.Join(early.certificateWarnings(&config.Config{}, time.Now().Add(-48*time.Hour)), "\n"); !strings.Contains(got, "is not valid before") {
		t.Errorf("expected a warning about the time before, got\n%s", got)
	}
}

// suspiciousFiles writes a configuration whose files are suspicious in every way, and
// returns the warnings about them.
func suspiciousFiles(t *testing.T) (file string, want []string) {
	t.Helper()
	dir := t.TempDir()
	file = filepath.Join(dir, "c.toml")
	text := strings.Replace(shapesConfig, "[listen]\n", "[listen]\naddress = [\"127.0.0.1:0\"]\n", 1)
	gatewaytest.WriteFile(t, file, []byte(strings.Replace(text, "[metrics]\n", "[metrics]\naddress = \"127.0.0.1:0\"\n", 1)))
	ca, stranger := need(certs.NewCA("CA")), need(certs.NewCA("stranger"))
	soon := need(certs.NewCA("soon", certstest.Valid(time.Hour)))
	over := need(ca.Server([]string{"localhost"}, certstest.Valid(-time.Minute)))
	for _, p := range shapePlaces(t) {
		gatewaytest.WriteFile(t, filepath.Join(dir, p.file), []byte(p.good))
	}
	put := func(name string, parts ...[]byte) {
		gatewaytest.WriteFile(t, filepath.Join(dir, name), bytes.Join(parts, nil))
	}
	der := bytes.Clone(ca.Certificate.Raw)
	der[len(der)-1] ^= 1
	put("cas.pem", ca.CertPEM(), ca.CertPEM(), soon.CertPEM())
	put("other.pem", pemOf("CERTIFICATE", der))
	put("own.pem", ca.CertPEM(), ca.CertPEM())
	gone, near := need(certs.NewCA("gone", certstest.Valid(-time.Hour))), need(certs.NewCA("near", certstest.Valid(48*time.Hour)))
	put("more.pem", gone.CertPEM())
	put("between.pem", stranger.CertPEM(), near.CertPEM())
	put("metrics.pem", over.CertPEM())
	put("metrics.key", need(over.KeyPEM()))
	put("ca.crl", need(certstest.CRL(ca, time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour))))
	return file, []string{
		"listen.client_ca: " + dir + "/cas.pem:12: the certificate of CN=CA,O=radsec-gw development is listed twice",
		"listen.client_ca: " + dir + "/cas.pem: the certificate of CN=soon,O=radsec-gw development expires on ",
		"client[0].ca: " + dir + "/own.pem:12: the certificate of CN=CA,O=radsec-gw development is listed twice",
		"client[1].ca[0]: " + dir + "/other.pem:1: the certificate of CN=CA,O=radsec-gw development is self-signed, and its signature does not verify",
		"client[1].ca[1]: " + dir + "/more.pem: the certificate of CN=gone,O=radsec-gw development expired on ",
		"listen.intermediates[0]: " + dir + "/between.pem: the certificate of CN=near,O=radsec-gw development expires on ",
		"listen.intermediates: the certificate of CN=stranger,O=radsec-gw development, issued by ",
		"metrics.certificate: the certificate of CN=localhost,O=radsec-gw development expired on ",
		"listen.crl: the revocation list of CN=CA,O=radsec-gw development has been out of date since ",
		"listen.crl: there is no revocation list of CN=soon,O=radsec-gw development",
	}
}

// The warnings about certificates and lists are logged when the gateway starts, and at a
// reload.
//
// Rules: P104
func TestWarningsAreLogged(t *testing.T) {
	file, want := suspiciousFiles(t)
	for _, w := range want {
		if out := warningsOf(t, file); !strings.Contains(out, w) {
			t.Errorf("expected a warning %q, got\n%s", w, out)
		}
	}
	log := new(process.Output)
	ctx, cancel := context.WithCancel(t.Context())
	gw, err := Start(ctx, planOf(t, file), Options{Log: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	defer func() {
		cancel()
		_ = gw.Wait()
	}()
	for i, when := range []string{"start", "reload"} {
		if i > 0 {
			if err := gw.Reload(); err != nil {
				t.Fatal(err)
			}
		}
		for _, w := range want {
			deadline := time.Now().Add(gatewaytest.Patience)
			for strings.Count(log.String(), w) <= i && time.Now().Before(deadline) {
				runtime.Gosched() // lines are written by a goroutine
			}
			if n := strings.Count(log.String(), w); n != i+1 {
				t.Errorf("expected the %s to log %q once, got %d times in all", when, w, n)
			}
		}
	}
}
