package gateway

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"radsec-gw/certs"
	"radsec-gw/gateway/gatewaytest"
	"radsec-gw/identity"
)

// issueServer puts a certificate of the gateway's name, with its key, where the
// gateway's is.
func (o *outside) issueServer(changes ...certs.Change) *certs.Pair {
	o.t.Helper()
	pair, err := o.ca.ServerWith(certs.DevelopmentHosts(), changes...)
	if err != nil {
		o.t.Fatal(err)
	}
	key, err := pair.KeyPEM()
	if err != nil {
		o.t.Fatal(err)
	}
	o.put("server.key", key) // before its certificate: a look at the files between the two finds that they do not fit
	o.put("server.pem", pair.CertPEM())
	return pair
}

// presents reports whether the gateway shows this certificate to a client that does
// not look at it.
func (o *outside) presents(pair *certs.Pair) bool {
	o.t.Helper()
	cfg := o.tls("plain")
	cfg.InsecureSkipVerify = true // a client would refuse what the test looks at
	c, err := tls.DialWithDialer(&net.Dialer{Timeout: gatewaytest.Patience}, "tcp", o.gw.Addr().String(), cfg)
	if err != nil {
		o.t.Fatal(err)
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0].Equal(pair.Certificate)
}

// startUnwatched is startOutside of a gateway that looks at its files only when told.
func startUnwatched(t *testing.T) *outside {
	t.Helper()
	o := startOutside(t, answering(t))
	o.rewrite("packet_timeout", "reload_interval = \"0s\"\npacket_timeout")
	o.reload()
	return o
}

// refusals are certificates that every client refuses, with a part of the reason.
var refusals = []struct {
	name   string
	change certs.Change
	why    string
}{
	{"expired", func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-24*time.Hour)
	}, "expired on"},
	{"not valid yet", func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().Add(24*time.Hour), time.Now().Add(48*time.Hour)
	}, "is not valid before"},
	{"for clients only", func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }, "is not for servers"},
}

// A certificate that clients refuse never replaces one that they take because its
// file has changed; what else has changed is taken. Asked for, it is, with an error
// in the log, the metric and the page, and the gateway is not ready. A better one is
// taken at once.
func TestAWorseCertificateIsNotTakenUnasked(t *testing.T) {
	for _, r := range refusals {
		t.Run(r.name, func(t *testing.T) {
			o := startUnwatched(t)
			if status, text := o.get("/readyz"); status != 200 {
				t.Fatalf("not ready at the start: %s", text)
			}
			good := o.issueServer()
			if err := o.gw.reloadFiles(); err != nil || !o.presents(good) {
				t.Fatalf("a good certificate is not taken because its file has changed: %v", err)
			}
			bad := o.issueServer(r.change)
			another, err := certs.NewCA("another CA")
			if err != nil {
				t.Fatal(err)
			}
			o.put("ca.pem", append(o.ca.Pair.CertPEM(), another.Pair.CertPEM()...))
			err = o.gw.reloadFiles()
			if err == nil || !strings.Contains(err.Error(), r.why) || !strings.Contains(err.Error(), "SIGHUP") {
				t.Errorf("a look at the files gives %v, expected that the certificate %s and how to take it all the same", err, r.why)
			}
			if !o.presents(good) {
				t.Fatal("the worse certificate is in force though nobody asked for it")
			}
			if n := len(o.gw.current.Load().files.clientCAs); n != 2 {
				t.Errorf("the client CA has %d certificates, expected the 2 that its file has now", n)
			}
			if status, text := o.get("/readyz"); status != 200 {
				t.Errorf("not ready though the good certificate stays: %s", text)
			}
			o.connect("plain").good()
			counts := o.scrape()
			if kept, refused := counts[`radsec_gw_reloads_total{result="kept"}`], counts[`radsec_gw_reloads_total{result="refused"}`]; kept != 1 || refused != 0 {
				t.Errorf("expected the reload counted as kept, got %v kept and %v refused", kept, refused)
			}
			if o.lines("level=ERROR", "reloaded without the new certificate", r.why) != 1 || o.lines("reload refused") != 0 {
				t.Errorf("expected one line about the certificate that is not in force, got the log\n%s", o.log)
			}
			o.put("ca.pem", o.ca.Pair.CertPEM())
			if err := o.gw.reloadFilesAt(time.Now().Add(time.Minute)); err == nil {
				t.Error("expected the error again when another file has changed, got none")
			}
			if kept := o.scrape()[`radsec_gw_reloads_total{result="kept"}`]; kept != 2 {
				t.Errorf("expected 2 reloads counted as kept, got %v", kept)
			}
			if o.lines("level=ERROR", "reloaded without the new certificate") != 1 {
				t.Errorf("expected the same reason to be told once, got the log\n%s", o.log)
			}
			if err := o.gw.reloadFiles(); err != nil {
				t.Errorf("the same files are refused a second time: %v", err)
			}

			o.reload()
			if !o.presents(bad) {
				t.Fatal("the certificate is not in force though a reload was asked for")
			}
			for _, text := range []string{"level=ERROR", "because it was asked for", `msg="the gateway's own certificate"`, r.why} {
				if !strings.Contains(o.log.String(), text) {
					t.Errorf("the log lacks %q:\n%s", text, o.log)
				}
			}
			if got := o.scrape()["radsec_gw_certificate_refused{}"]; got != 1 {
				t.Errorf("radsec_gw_certificate_refused is %v, expected 1", got)
			}
			if status, text := o.get("/readyz"); status != 503 || !strings.Contains(text, r.why) {
				t.Errorf("/readyz answers %d %s, expected 503 and that the certificate %s", status, text, r.why)
			}
			if _, text := o.get("/"); !strings.Contains(text, r.why) {
				t.Errorf("the status page does not say that the certificate %s", r.why)
			}

			better := o.issueServer()
			if err := o.gw.reloadFiles(); err != nil || !o.presents(better) {
				t.Fatalf("a good certificate does not replace one that clients refuse: %v", err)
			}
			if status, text := o.get("/readyz"); status != 200 {
				t.Errorf("not ready with a good certificate: %s", text)
			}
			if got := o.scrape()["radsec_gw_certificate_refused{}"]; got != 0 {
				t.Errorf("radsec_gw_certificate_refused is %v, expected 0", got)
			}
		})
	}
}

// A reload that was refused when it was asked for, and is tried again because a file has
// changed, is not asked for that often: the good certificate stays.
func TestAWorseCertificateIsNotTakenByAnotherTry(t *testing.T) {
	o := startUnwatched(t)
	good := o.issueServer()
	o.reload()
	o.put("ca.pem", o.ca.Pair.CertPEM()[:200])
	if err := o.gw.Reload(); err == nil {
		t.Fatal("expected a reload with half a CA to be refused")
	}
	r := refusals[0]
	o.issueServer(r.change)
	o.put("ca.pem", o.ca.Pair.CertPEM())
	if err := o.gw.reloadFiles(); err == nil || !strings.Contains(err.Error(), r.why) {
		t.Errorf("the other try gives %v, expected that the certificate %s", err, r.why)
	}
	if !o.presents(good) {
		t.Error("the worse certificate is in force though nobody asked for it again")
	}
}

// A certificate that was left out because it is not valid yet is taken when it is.
func TestACertificateThatHasBecomeGoodIsTaken(t *testing.T) {
	o := startUnwatched(t)
	from := time.Now().Add(time.Hour).Truncate(time.Second)
	early := o.issueServer(func(c *x509.Certificate) { c.NotBefore = from })
	for _, step := range []struct {
		at    time.Time
		taken bool
	}{{from.Add(-time.Hour), false}, {from.Add(-time.Second), false}, {from, true}} {
		_ = o.gw.reloadFilesAt(step.at) // says on the first step why it is left out
		if o.presents(early) != step.taken {
			t.Errorf("%v from its start: the certificate is in force: %v", step.at.Sub(from), !step.taken)
		}
	}
}

// The gateway starts with a certificate that clients refuse, and says so at once.
func TestStartWithACertificateThatClientsRefuse(t *testing.T) {
	for _, r := range refusals {
		dir, file := gatewaytest.Dir(t, gatewaytest.Config(1812))
		ca, err := certs.LoadSigner(filepath.Join(dir, "certs/dev/ca.pem"), filepath.Join(dir, "certs/dev/ca.key"))
		if err != nil {
			t.Fatal(err)
		}
		pair, err := ca.ServerWith([]string{"radsec-server"}, r.change)
		if err != nil {
			t.Fatal(err)
		}
		key, err := pair.KeyPEM()
		if err != nil {
			t.Fatal(err)
		}
		gatewaytest.WriteFile(t, filepath.Join(dir, "certs/dev/server.pem"), pair.CertPEM())
		gatewaytest.WriteFile(t, filepath.Join(dir, "certs/dev/server.key"), key)
		var lines gatewaytest.Log
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
			t.Errorf("%s: the gateway is not ready because %q", r.name, why)
		}
		log := lines.String()
		if !strings.Contains(log, "level=ERROR") || !strings.Contains(log, r.why) {
			t.Errorf("%s: expected an error about it, got the log\n%s", r.name, log)
		}
	}
}

// The expiry metric is the end of the first certificate of the chain to end.
func TestExpiryMetricIsThatOfTheChain(t *testing.T) {
	o := startOutside(t, answering(t))
	between, err := certs.NewCA("an unrelated one", certs.Valid(36*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	server, err := o.ca.Server(certs.DevelopmentHosts()...)
	if err != nil {
		t.Fatal(err)
	}
	key, err := server.KeyPEM()
	if err != nil {
		t.Fatal(err)
	}
	o.put("server.key", key)
	o.put("server.pem", append(server.CertPEM(), between.Pair.CertPEM()...))
	o.reload()
	if got, want := o.scrape()[`radsec_gw_certificate_expiry_timestamp_seconds{certificate="server",file="server.pem"}`], float64(between.Certificate.NotAfter.Unix()); got != want {
		t.Errorf("the chain ends at %v, expected %v", got, want)
	}
	for _, text := range []string{"level=WARN", "signed none of those before it"} {
		if !strings.Contains(o.log.String(), text) {
			t.Errorf("the log lacks %q", text)
		}
	}
}

// What stays odd is told once a day, what is new at once, and all of it for another
// certificate.
func TestOwnCertificateIsToldOfDaily(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r certificateReport
		m, other := &material{}, &material{}
		m.pair.Certificate, other.pair.Certificate = [][]byte{{1}}, [][]byte{{2}}
		list := []identity.Finding{{Severity: identity.Harmful, Text: "a"}}
		want := func(what, texts string, m *material) {
			t.Helper()
			got := ""
			for _, f := range r.due(m, list, time.Now()) {
				got += f.Text
			}
			if got != texts {
				t.Errorf("%s: %q is told, expected %q", what, got, texts)
			}
		}
		want("at first", "a", m)
		time.Sleep(23 * time.Hour)
		want("within a day", "", m)
		list = append(list, identity.Finding{Severity: identity.Fatal, Text: "b"})
		want("something new", "b", m)
		time.Sleep(2 * time.Hour)
		want("a day after the first", "a", m)
		want("another certificate", "ab", other)
		list = nil
		want("nothing any more", "", other)
		list = []identity.Finding{{Text: "a"}}
		want("again", "a", other)
	})
}

// A certificate that ends while the gateway runs is told of when it does, and the
// gateway is not ready from then on.
func TestCertificateThatEndsWhileRunning(t *testing.T) {
	o := startOutside(t, answering(t))
	now := o.gw.current.Load()
	end := now.files.pair.Leaf.NotAfter
	if strings.Contains(o.log.String(), "own certificate") {
		t.Fatalf("a good certificate is told of:\n%s", o.log)
	}
	o.gw.reportCertificate(now.Plan, end.Add(time.Minute))
	if want := fmt.Sprint("expired on ", end.UTC().Format(time.DateTime)); !strings.Contains(o.log.String(), want) || !strings.Contains(o.log.String(), "level=ERROR") {
		t.Errorf("the log lacks an error with %q:\n%s", want, o.log)
	}
	if why := now.files.refused(end.Add(time.Second)); !strings.Contains(why, "expired on") {
		t.Errorf("a second after its end the certificate is refused because %q", why)
	}
}
