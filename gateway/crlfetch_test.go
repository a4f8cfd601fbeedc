package gateway

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"radsec-gw/certs"
	"radsec-gw/certs/certstest"
	"radsec-gw/gateway/gatewaytest"
)

// listServer is a CA's web server.
type listServer struct {
	*httptest.Server
	answer atomic.Pointer[http.HandlerFunc]
	asked  atomic.Int32
	over   chan struct{} // closed at the end of the test
}

func startListServer(t *testing.T) *listServer {
	s := &listServer{over: make(chan struct{})}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		s.asked.Add(1)
		(*s.answer.Load())(w, q)
	}))
	t.Cleanup(func() {
		close(s.over)
		s.Close()
	})
	s.serve(nil)
	return s
}

// serve lets the server answer with a list.
func (s *listServer) serve(list []byte) {
	s.answer.Store(new(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(list) })))
}

// hang lets the server accept requests and not answer.
func (s *listServer) hang() {
	s.answer.Store(new(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) {
		select {
		case <-s.over:
		case <-q.Context().Done():
		}
	})))
}

// fetched waits until so many fetches of the server have had a result.
func (g *testGateway) fetched(result string, want float64) {
	g.t.Helper()
	g.await("fetched", func(now map[string]float64) string {
		for name, n := range now {
			if strings.HasPrefix(name, "radsec_gw_crl_fetches_total{") && strings.Contains(name, `result="`+result+`"`) && n >= want {
				return "fetched"
			}
		}
		return "no fetch with the result " + result
	})
}

// accepts reports whether a client can connect. With TLS 1.2 the handshake ends after the
// gateway has checked the certificate.
func (g *testGateway) accepts(name string) bool {
	g.t.Helper()
	cfg := g.tls(name)
	cfg.MaxVersion = tls.VersionTLS12
	c, err := tls.Dial("tcp", g.gw.Addr().String(), cfg)
	if err == nil {
		c.Close()
	}
	return err == nil
}

// A list that is fetched counts like one from a file: a connected client that it revokes is
// closed and cannot connect again, others stay. When the server is down, or answers with
// something else, the list stays in use.
//
// Rules: TR9
func TestFetchedListRevokes(t *testing.T) {
	srv := startListServer(t)
	g := startGateway(t, answering(t))
	srv.serve(g.list(time.Hour))
	g.set("[listen]\n", "crl = [\""+srv.URL+"/ca.crl\"]\n")
	plain, strict := g.connect("plain"), g.connect("strict")
	plain.good()
	g.fetched("ok", 1)

	srv.serve(g.list(time.Minute, g.pairs["strict"]))
	g.reload() // fetches, too
	if strict.read() != nil {
		t.Error("expected the connection of the revoked client closed, it is open")
	}
	plain.good()
	if g.accepts("strict") {
		t.Error("the revoked client connects again")
	}
	if u := statusOf(t, g.gw).RevocationURLs; len(u) != 1 || u[0].State != "ok" || u[0].Lists != 1 || u[0].Revoked != 1 || u[0].SucceededAt == nil || u[0].NextUpdate == nil {
		t.Errorf("expected the URL with its list in the status, got %+v", u)
	}
	for result, list := range map[string][]byte{"older": g.list(2 * time.Hour), "malformed": []byte("<html>"), "foreign": listOf(t, need(certs.NewCA("another")))} {
		srv.serve(list)
		g.reload()
		g.fetched(result, 1)
		if g.accepts("strict") {
			t.Errorf("%s: the revoked client connects", result)
		}
		plain.good()
	}
	s := statusOf(t, g.gw)
	if u := s.RevocationURLs[0]; u.State != "failing" || u.Why == "" || u.Lists != 1 {
		t.Errorf("expected the URL to be failing with its cause, got %+v", u)
	}
	if len(s.Problems) == 0 || s.Problems[0].Kind != "revocation_list_not_fetched" {
		t.Errorf("expected a problem, got %+v", s.Problems)
	}
	g.rewrite("crl = [\""+srv.URL+"/ca.crl\"]\n", "")
	g.reload()
	g.awaitLog("a revocation list is gone with this reload")
	if !g.accepts("strict") {
		t.Error("expected the client to be accepted once the list is no longer configured")
	}
}

// While a list's server hangs, reloads, handshakes and packets take no longer than without it.
//
// Rules: TR9
func TestNothingWaitsForAHangingListServer(t *testing.T) {
	srv := startListServer(t)
	srv.hang()
	g := startGateway(t, answering(t))
	g.connect("plain").good() // the first one fills caches
	began := time.Now()
	g.set("[listen]\n", "crl = [\""+srv.URL+"/ca.crl\"]\ncrl_distribution_points = true\n")
	for srv.asked.Load() == 0 { // it is being asked
		g.reload()
	}
	for range 20 {
		g.connect("plain").good()
	}
	if took := time.Since(began); took > 10*time.Second { // the fetch has 30
		t.Errorf("expected reloads and 20 handshakes within 10 s, they took %v", took)
	}
	if u := statusOf(t, g.gw).RevocationURLs; len(u) != 1 || u[0].State != "waiting" {
		t.Errorf("expected the URL to be waited for, got %+v", u)
	}
}

// A list of 50,000 entries that changes all the time disturbs neither handshakes nor requests.
//
// Rules: TR9
func TestLargeListChangesWhileHandshakesRun(t *testing.T) {
	srv := startListServer(t)
	g := startGateway(t, answering(t))
	list := &x509.RevocationList{ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: time.Now().Add(time.Hour)}
	for i := range 50_000 {
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: big.NewInt(int64(i) + 1), RevocationTime: list.ThisUpdate})
	}
	number := int64(0)
	next := func() []byte {
		number++
		list.Number = big.NewInt(number)
		return need(x509.CreateRevocationList(rand.Reader, list, g.ca.Certificate, g.ca.Key))
	}
	srv.serve(next())
	g.set("[listen]\n", "crl = [\""+srv.URL+"/ca.crl\"]\n")
	g.fetched("ok", 1)
	steady := g.connect("plain")
	var done atomic.Bool
	var connecting sync.WaitGroup
	connecting.Go(func() {
		for !done.Load() {
			began := time.Now()
			if !g.accepts("plain") {
				t.Error("expected a client that is not revoked to be accepted")
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("expected a handshake to take no longer than usual, it took %v", took)
			}
		}
	})
	for n := range 3 {
		srv.serve(next())
		g.gw.lists.Refresh()
		g.fetched("ok", float64(n+2))
		steady.good()
	}
	done.Store(true)
	connecting.Wait()
	list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: g.pairs["plain"].Certificate.SerialNumber, RevocationTime: list.ThisUpdate})
	srv.serve(next())
	g.gw.lists.Refresh()
	if steady.read() != nil {
		t.Error("expected the connection of the revoked client closed, it is open")
	}
}

// The URL in a client's certificate is fetched after its first handshake; the client is closed
// when the list revokes it.
//
// Rules: TR9
func TestDistributionPointOfAClient(t *testing.T) {
	srv := startListServer(t)
	dir, file := gatewaytest.Dir(t, strings.Replace(identityConfig, "# more of listen", "crl_distribution_points = true", 1))
	ca := signerIn(dir)
	gatewaytest.WriteFile(t, clientCAIn(dir), ca.CertPEM())
	pair := need(ca.Client("campus", func(c *x509.Certificate) { c.CRLDistributionPoints = []string{"http://crl.example/ca.crl"} }))
	now := time.Now()
	srv.serve(need(certstest.CRL(ca, now, now.Add(time.Hour), pair)))
	g := runDialling(t, planOf(t, file), srv.Listener.Addr().String())
	c := need(tls.Dial("tcp", g.Addr().String(), &tls.Config{RootCAs: certs.Pool(ca.Certificate), ServerName: "localhost", Certificates: []tls.Certificate{pair.TLS()}}))
	defer c.Close()
	c.SetReadDeadline(time.Now().Add(gatewaytest.Patience))
	if _, err := c.Read(make([]byte, 1)); err == nil || timedOut(err) {
		t.Errorf("expected the connection of the revoked client closed, got %v", err)
	}
	if u := statusOf(t, g).RevocationURLs; len(u) != 1 || u[0].From != "certificate" || u[0].URL != "http://crl.example/ca.crl" {
		t.Errorf("expected the URL of the certificate in the status, got %+v", u)
	}
}
