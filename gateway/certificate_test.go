package gateway

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"radsec-gw/bench/process"
	"radsec-gw/certs"
	"radsec-gw/gateway/gatewaytest"
	"radsec-gw/identity"
)

// The gateway starts with a certificate that clients refuse, and logs an error.
func TestStartWithACertificateThatClientsRefuse(t *testing.T) {
	for _, r := range refusals {
		dir, file := gatewaytest.Dir(t, gatewaytest.Config(1812))
		ca, err := certs.LoadSigner(filepath.Join(dir, "certs/dev/ca.pem"), filepath.Join(dir, "certs/dev/ca.key"))
		if err != nil {
			t.Fatal(err)
		}
		pair, err := ca.Server([]string{"radsec-server"}, r.change)
		if err != nil {
			t.Fatal(err)
		}
		key, err := pair.KeyPEM()
		if err != nil {
			t.Fatal(err)
		}
		gatewaytest.WriteFile(t, filepath.Join(dir, "certs/dev/server.pem"), pair.CertPEM())
		gatewaytest.WriteFile(t, filepath.Join(dir, "certs/dev/server.key"), key)
		var lines process.Output
		ctx, cancel := context.WithCancel(t.Context())
		gw, err := Start(ctx, planOf(t, file), Options{Log: slog.New(slog.NewTextHandler(&lines, nil))})
		if err != nil {
			cancel()
			t.Fatal(err)
		}
		why := gw.notServing()
		cancel()
		if err := gw.Wait(); err != nil {
			t.Error(err)
		}
		if !strings.Contains(why, r.why) {
			t.Errorf("%s: expected it as the reason not to be ready, got %q", r.name, why)
		}
		log := lines.String()
		if !strings.Contains(log, "level=ERROR") || !strings.Contains(log, r.why) {
			t.Errorf("%s: expected an error about it, got the log\n%s", r.name, log)
		}
	}
}

// A finding that persists is reported once a day, a new one at once, and all of them for
// another certificate.
func TestFindingsAreReportedDaily(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r certificateReport
		of := func(b byte) *material {
			return &material{own: []*ownCertificate{{pair: tls.Certificate{Certificate: [][]byte{{b}}}}}}
		}
		finding := func(text string) Finding {
			return Finding{Finding: identity.Finding{Severity: identity.Fatal, Text: text}}
		}
		m, other := of(1), of(2)
		list := []Finding{finding("a")}
		want := func(what, texts string, m *material) {
			t.Helper()
			got := ""
			for _, f := range r.due(m, list, time.Now()) {
				got += f.Text
			}
			if got != texts {
				t.Errorf("%s: expected %q to be reported, got %q", what, texts, got)
			}
		}
		want("at first", "a", m)
		time.Sleep(23 * time.Hour)
		want("within a day", "", m)
		list = append(list, finding("b"))
		want("something new", "b", m)
		time.Sleep(2 * time.Hour)
		want("a day after the first", "a", m)
		want("another certificate", "ab", other)
		list = nil
		want("no finding", "", other)
		list = []Finding{finding("a")}
		want("again", "a", other)
	})
}

// A certificate that expires while the gateway runs is reported when it does, and the
// gateway is not ready from then on.
func TestCertificateThatExpires(t *testing.T) {
	g := startGateway(t, answering(t))
	now := g.gw.current.Load()
	end := now.files.own[0].pair.Leaf.NotAfter
	if strings.Contains(g.log.String(), "own certificate") {
		t.Fatalf("expected nothing about a good certificate, got\n%s", g.log)
	}
	g.gw.reportCertificate(now.Plan, end.Add(time.Minute))
	if want := fmt.Sprint("expired on ", end.UTC().Format(time.DateTime)); !strings.Contains(g.log.String(), want) || !strings.Contains(g.log.String(), "level=ERROR") {
		t.Errorf("expected an error with %q, got\n%s", want, g.log)
	}
	if why := now.files.refused(end.Add(time.Second)); !strings.Contains(why, "expired on") {
		t.Errorf("expected the certificate to be refused a second after its end, got %q", why)
	}
}
