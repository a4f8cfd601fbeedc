package gateway

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"radsec-gw/certs"
	"radsec-gw/certs/certstest"
	"radsec-gw/gateway/gatewaytest"
)

// The expiry metric is the time when the first certificate of the chain expires.
func TestExpiryMetricIsThatOfTheChain(t *testing.T) {
	g := startGateway(t, answering(t))
	between, err := certs.NewCA("an unrelated one", certstest.Valid(36*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	server, err := g.ca.Server(certs.DevelopmentHosts())
	if err != nil {
		t.Fatal(err)
	}
	key, err := server.KeyPEM()
	if err != nil {
		t.Fatal(err)
	}
	g.put("server.key", key)
	g.put("server.pem", append(server.CertPEM(), between.Pair.CertPEM()...))
	g.reload()
	if got, want := g.scrape()[`radsec_gw_certificate_expiry_timestamp_seconds{certificate="server",file="server.pem"}`], float64(between.Certificate.NotAfter.Unix()); got != want {
		t.Errorf("expected the chain to expire at %v, got %v", want, got)
	}
	for _, text := range []string{"level=WARN", "signed none of those before it"} {
		if !strings.Contains(g.log.String(), text) {
			t.Errorf("expected %q in the log", text)
		}
	}
}

// For each file the metric shows when its first certificate expires. It is removed for a
// file that a reload removes.
func TestExpiryMetricOfEachFile(t *testing.T) {
	ca := need(certs.NewCA("CA"))
	soon, over := need(certs.NewCA("soon", certstest.Valid(time.Hour))), need(certs.NewCA("over", certstest.Valid(-time.Hour)))
	conditions := "ca = [\"own.pem\", \"own/more.pem\"]"
	text := strings.NewReplacer("# more of listen", `intermediates = ["between.pem"]`, "# conditions", conditions).Replace(identityConfig)
	dir, file := gatewaytest.Dir(t, text)
	if err := os.Mkdir(filepath.Join(dir, "own"), 0o700); err != nil {
		t.Fatal(err)
	}
	put := func(name string, list ...*certs.CA) {
		var b []byte
		for _, c := range list {
			b = append(b, c.CertPEM()...)
		}
		gatewaytest.WriteFile(t, filepath.Join(dir, name), b)
	}
	put("client_ca.pem", ca, soon)
	put("own.pem", ca)
	put("own/more.pem", over, ca)
	put("between.pem", ca, soon)
	g := &testGateway{t: t, gw: runPlan(t, planOf(t, file))}
	const series = "radsec_gw_certificate_expiry_timestamp_seconds{certificate="
	shown := g.scrape()
	for what, first := range map[string]*certs.CA{`"client_ca",file="client_ca.pem"`: soon, `"ca",file="own.pem"`: ca,
		`"ca",file="own/more.pem"`: over, `"intermediates",file="between.pem"`: soon} {
		if got, want := shown[series+what+"}"], float64(first.Certificate.NotAfter.Unix()); got != want {
			t.Errorf("%s: expected %v, got %v", what, want, got)
		}
	}
	gatewaytest.WriteFile(t, file, []byte(strings.Replace(text, conditions, "", 1)))
	if err := g.gw.Reload(); err != nil {
		t.Fatal(err)
	}
	for name := range g.scrape() {
		if strings.HasPrefix(name, series+`"ca"`) {
			t.Errorf("%s is shown after a reload without it", name)
		}
	}
}
