package gateway

import (
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"radsec-gw/certs"
	"radsec-gw/certs/certstest"
	"radsec-gw/gateway/gatewaytest"
)

// With crl_stale = "refuse" and a list that is out of date the gateway is not ready, because
// it accepts no client of that CA. The list is in the file of the CA.
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
		gatewaytest.WriteFile(t, filepath.Join(dir, "client_ca.pem"), append(ca.CertPEM(), pemOf("X509 CRL", need(certstest.CRL(ca, c.until.Add(-time.Hour), c.until)))...))
		if err := g.Reload(); err != nil {
			t.Fatal(err)
		}
		if got := httpStatus("/readyz")(g); got != c.want {
			t.Errorf("a list until %v: expected %d from /readyz, got %v", c.until, c.want, got)
		}
		if why := g.notServing(); c.says == "" && why != "" || !strings.Contains(why, c.says) {
			t.Errorf("a list until %v: expected the reason %q, got %q", c.until, c.says, why)
		}
	}
}

// A list that is out of date refuses the clients of its CA, and the gateway stays ready for
// those of another. The status page says so.
//
// Rules: TR4
func TestReadyWithOneStaleListOfTwo(t *testing.T) {
	g, dir := startForIdentity(t, `crl_stale = "refuse"`)
	ca := need(certs.LoadSigner(filepath.Join(dir, "certs/dev/ca.pem"), filepath.Join(dir, "certs/dev/ca.key")))
	old := need(certs.NewCA("old CA"))
	list := need(certstest.CRL(old, time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)))
	gatewaytest.WriteFile(t, filepath.Join(dir, "client_ca.pem"), slices.Concat(ca.CertPEM(), old.CertPEM(), pemOf("X509 CRL", list)))
	if err := g.Reload(); err != nil {
		t.Fatal(err)
	}
	if got := httpStatus("/readyz")(g); got != http.StatusOK {
		t.Errorf("expected %d from /readyz, got %v (%s)", http.StatusOK, got, g.notServing())
	}
	lists := statusOf(t, g).RevocationLists
	if len(lists) == 0 || !strings.HasPrefix(lists[0].Issuer, "CN=old CA") || !lists[0].Stale || !lists[0].Refused {
		t.Errorf("expected the list of the old CA first, stale, with its certificates refused, got %+v", lists)
	}
}
