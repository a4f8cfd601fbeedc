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

	"radsec-gw/certs"
	"radsec-gw/config"
	"radsec-gw/gateway/gatewaytest"
)

// What check warns of in certificates and lists stands in the log, too, at the start as
// at a reload: nobody runs check on a gateway that has started.
//
// Rules: P104
func TestTheStartTellsWhatCheckWarnsOf(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "c.toml")
	text := strings.Replace(shapesConfig, "[listen]\n", "[listen]\naddress = [\"127.0.0.1:0\"]\n", 1)
	gatewaytest.WriteFile(t, file, []byte(strings.Replace(text, "[metrics]\n", "[metrics]\naddress = \"127.0.0.1:0\"\n", 1)))
	ca, stranger := need(certs.NewCA("CA")), need(certs.NewCA("stranger"))
	soon := need(certs.NewCA("soon", certs.Valid(time.Hour)))
	over := need(ca.ServerWith([]string{"localhost"}, certs.Valid(-time.Minute)))
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
	gone, near := need(certs.NewCA("gone", certs.Valid(-time.Hour))), need(certs.NewCA("near", certs.Valid(48*time.Hour)))
	put("more.pem", gone.CertPEM())
	put("between.pem", stranger.CertPEM(), near.CertPEM())
	put("metrics.pem", over.CertPEM())
	put("metrics.key", need(over.KeyPEM()))
	put("ca.crl", need(ca.CRL(time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour))))
	want := []string{
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
	for _, w := range want {
		if out := warningsOf(t, file); !strings.Contains(out, w) {
			t.Errorf("expected a warning %q, got\n%s", w, out)
		}
	}
	log := new(gatewaytest.Log)
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

// warningsOf returns what deserves a second look in a configuration without mistakes, a
// warning a line after the word Warnings; "" when nothing does.
func warningsOf(t *testing.T, file string) string {
	t.Helper()
	p := planOf(t, file)
	if list := append(p.Config.Warnings(), p.Warnings(time.Now())...); len(list) > 0 {
		return "Warnings:\n" + strings.Join(list, "\n")
	}
	return ""
}

// Certificates that clients will not like are worth a warning.
func TestCheckWarnsAboutCertificates(t *testing.T) {
	ca, err := certs.NewCA("CA", certs.Valid(10*24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	pair, err := ca.ServerWith(nil, func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	})
	if err != nil {
		t.Fatal(err)
	}
	m := &material{pair: pair.TLS(), clientCAs: []*x509.Certificate{ca.Certificate},
		issuerFiles: []issuerFile{{"listen.client_ca", "ca.pem", []*x509.Certificate{ca.Certificate}}}}
	got := strings.Join(append(m.certificateWarnings(&config.Config{}, time.Now()), m.warnings(&config.Config{}, time.Now())...), "\n")
	for _, want := range []string{"expired on ", "no host names or addresses", "is not for servers", "listen.client_ca: ca.pem: the certificate of CN=CA"} {
		if !strings.Contains(got, want) {
			t.Errorf("expected a warning %q, came\n%s", want, got)
		}
	}
	early := &material{pair: pair.TLS()}
	if got := strings.Join(early.certificateWarnings(&config.Config{}, time.Now().Add(-48*time.Hour)), "\n"); !strings.Contains(got, "is not valid before") {
		t.Errorf("expected a warning about the time before, came\n%s", got)
	}
}
