package gateway

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"radsec-gw/certs"
	"radsec-gw/certs/certstest"
	"radsec-gw/gateway/gatewaytest"
)

func signerIn(dir string) *certs.CA {
	return need(certs.LoadSigner(filepath.Join(dir, "certs/dev/ca.pem"), filepath.Join(dir, "certs/dev/ca.key")))
}

func clientCAIn(dir string) string { return filepath.Join(dir, "client_ca.pem") }

// runDialling starts a gateway that reaches every server of lists at one address.
func runDialling(t *testing.T, p *Plan, address string) *Gateway {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	g, err := Start(ctx, p, Options{Log: slog.New(slog.DiscardHandler), DialCRL: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}})
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		if err := g.Wait(); err != nil {
			t.Error(err)
		}
	})
	return g
}

// devAccepted reports whether the development client of dir can connect.
func devAccepted(g *Gateway, dir string) error {
	ca := signerIn(dir)
	pair := need(tls.LoadX509KeyPair(filepath.Join(dir, "certs/dev/client.pem"), filepath.Join(dir, "certs/dev/client.key")))
	c, err := tls.Dial("tcp", g.Addr().String(), &tls.Config{RootCAs: certs.Pool(ca.Certificate), ServerName: "localhost", Certificates: []tls.Certificate{pair}, MaxVersion: tls.VersionTLS12})
	if err == nil {
		c.Close()
	}
	return err
}

// until waits until something is so.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	deadline := time.After(gatewaytest.Patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-deadline:
			t.Fatalf("expected %s", what)
		case <-tick.C:
		}
	}
}

// After a restart while the server of the list is down, a client that it revokes is refused in
// the first handshake, because the list is on disk.
//
// Rules: TR9
func TestRestartWithTheListServerDown(t *testing.T) {
	srv := startListServer(t)
	dir, file := gatewaytest.Dir(t, strings.Replace(identityConfig, "# more of listen", "crl = [\""+srv.URL+"\"]\ncrl_directory = \"lists\"", 1))
	ca := signerIn(dir)
	gatewaytest.WriteFile(t, clientCAIn(dir), ca.CertPEM())
	client := need(tls.LoadX509KeyPair(filepath.Join(dir, "certs/dev/client.pem"), filepath.Join(dir, "certs/dev/client.key")))
	now := time.Now()
	srv.serve(need(certstest.CRL(ca, now, now.Add(time.Hour), &certs.Pair{Certificate: client.Leaf})))
	ctx, cancel := context.WithCancel(t.Context())
	g := need(Start(ctx, planOf(t, file), Options{}))
	until(t, "the list on disk", func() bool {
		names, _ := filepath.Glob(filepath.Join(dir, "lists", "*.crl"))
		return len(names) == 1
	})
	cancel()
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	srv.hang()
	g = runPlan(t, planOf(t, file))
	if devAccepted(g, dir) == nil {
		t.Error("expected the revoked client to be refused, it was accepted")
	}
	if u := statusOf(t, g).RevocationURLs; len(u) != 1 || u[0].Lists != 1 || u[0].State != "waiting" || u[0].SucceededAt == nil {
		t.Errorf("expected a list from disk, got %+v", u)
	}
}

// With crl_stale = "refuse" clients are refused from the start on until the list has arrived, and
// /readyz says so. With "accept" they are accepted meanwhile.
//
// Rules: TR9
func TestStartWithoutTheList(t *testing.T) {
	for _, stale := range []string{"accept", "refuse"} {
		srv := startListServer(t)
		srv.hang()
		g, dir := startForIdentity(t, "crl_stale = \""+stale+"\"\ncrl = [\""+srv.URL+"\"]")
		refused := stale == "refuse"
		ready := map[bool]int{true: http.StatusServiceUnavailable, false: http.StatusOK}[refused]
		if err := devAccepted(g, dir); (err != nil) != refused {
			t.Errorf("%s: expected the client to be refused to be %t, got %v", stale, refused, err)
		}
		if got := httpStatus("/readyz")(g); got != ready {
			t.Errorf("%s: expected %d from /readyz, got %v", stale, ready, got)
		}
		if why := g.notServing(); refused && !strings.Contains(why, "have not been fetched yet") {
			t.Errorf("%s: expected the cause, got %q", stale, why)
		}
		if u := statusOf(t, g).RevocationURLs; len(u) != 1 || u[0].Refused != refused {
			t.Errorf("%s: expected the status to say whether certificates are refused, got %+v", stale, u)
		}
		srv.CloseClientConnections() // the hanging fetch fails
		ca := signerIn(dir)
		srv.serve(need(certstest.CRL(ca, time.Now(), time.Now().Add(time.Hour))))
		g.lists.Refresh()
		until(t, "the client accepted once the list is there", func() bool { return devAccepted(g, dir) == nil && httpStatus("/readyz")(g) == http.StatusOK })
	}
}

// Reading a configuration, as check does, fetches nothing.
//
// Rules: TR9
func TestLoadFetchesNothing(t *testing.T) {
	srv := startListServer(t)
	dir, file := gatewaytest.Dir(t, strings.Replace(identityConfig, "# more of listen", "crl = [\""+srv.URL+"\"]", 1))
	gatewaytest.WriteFile(t, clientCAIn(dir), signerIn(dir).CertPEM())
	p := planOf(t, file)
	if n := srv.asked.Load(); n != 0 {
		t.Errorf("expected no request, got %d", n)
	}
	for _, w := range p.Warnings(time.Now()) {
		if strings.Contains(w, "there is no revocation list") {
			t.Errorf("expected no warning about a list that may yet arrive, got %s", w)
		}
	}
}

// With crl_stale = "refuse" a client whose certificate names a URL is refused until the list is
// there, and accepted then.
//
// Rules: TR9
func TestClientWaitsForTheListThatItNames(t *testing.T) {
	srv := startListServer(t)
	dir, file := gatewaytest.Dir(t, strings.Replace(identityConfig, "# more of listen", "crl_distribution_points = true\ncrl_stale = \"refuse\"", 1))
	ca := signerIn(dir)
	gatewaytest.WriteFile(t, clientCAIn(dir), ca.CertPEM())
	pair := need(ca.Client("campus", func(c *x509.Certificate) { c.CRLDistributionPoints = []string{"http://crl.example/ca.crl"} }))
	srv.serve(need(certstest.CRL(ca, time.Now(), time.Now().Add(time.Hour))))
	g := runDialling(t, planOf(t, file), srv.Listener.Addr().String())
	accepted := func() bool {
		c, err := tls.Dial("tcp", g.Addr().String(), &tls.Config{RootCAs: certs.Pool(ca.Certificate), ServerName: "localhost", Certificates: []tls.Certificate{pair.TLS()}, MaxVersion: tls.VersionTLS12})
		if err == nil {
			c.Close()
		}
		return err == nil
	}
	if accepted() {
		t.Error("expected the first handshake to be refused")
	}
	until(t, "the client accepted once the list is there", accepted)
	if err := devAccepted(g, dir); err != nil {
		t.Errorf("expected a client that names no URL to be accepted, got %v", err)
	}
}
