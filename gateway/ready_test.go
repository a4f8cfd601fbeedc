package gateway

import (
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"radsec-gw/certs"
	"radsec-gw/gateway/gatewaytest"
)

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
