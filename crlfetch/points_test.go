package crlfetch

import (
	"crypto/x509"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"radsec-gw/certs"
)

// usePoints allows distribution points.
func (b *bench) usePoints() {
	b.set()
	b.settings.Sets[0].Points = true
}

// The URL that a client's certificate names is fetched from then on, if the configuration
// allows it and it is http.
//
// Rules: TR9
func TestOfferedURLIsFetched(t *testing.T) {
	for _, allowed := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			b.usePoints()
			b.settings.Sets[0].Points = allowed
			good := b.crl(0, 240*time.Hour)
			b.list(good)
			f, stop := b.begin()
			defer stop()
			f.Offer([]string{"ldap://crl/a", "https://crl/a", "http://user:pass@crl/a", "http://crl/a", "http://crl/a"})
			f.Offer([]string{"http://crl/a"})
			<-time.After(90 * time.Minute)
			if !allowed {
				b.has(f, "where it is not allowed")
				if got := b.times(); got != "" {
					t.Errorf("expected no request, got %s", got)
				}
				return
			}
			b.has(f, "after it was offered", good)
			if got := b.times(); !near(got, 0, time.Hour) {
				t.Errorf("expected a request at once and one after an hour, got %s", got)
			}
			if _, awaited := b.lists(f); awaited {
				t.Error("expected the URL of a certificate never to be awaited")
			}
			if s := f.Sources(); len(s) != 1 || !s[0].Point {
				t.Errorf("expected one source, of a certificate, got %+v", s)
			}
		})
	}
}

// At most 64 URLs of certificates are fetched, and no more than one new one a second after the
// first eight. Nobody who offers one waits.
//
// Rules: TR9
func TestOffersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.usePoints()
		good := b.crl(0, 240*time.Hour)
		b.list(good)
		f, stop := b.begin()
		defer stop()
		offer := func() {
			began := time.Now()
			for i := range 200 {
				f.Offer([]string{fmt.Sprintf("http://crl/%d", i)})
			}
			if took := time.Since(began); took != 0 {
				t.Errorf("expected no time to pass while URLs are offered, got %v", took)
			}
		}
		offer()
		synctest.Wait()
		if got := len(f.Sources()); got != pointsBurst {
			t.Errorf("expected %d URLs at once, got %d", pointsBurst, got)
		}
		for range 200 {
			<-time.After(time.Second)
			offer()
		}
		if got := len(f.Sources()); got != maxPoints {
			t.Errorf("expected %d URLs in the end, got %d", maxPoints, got)
		}
		if b.metric("crl_distribution_points_refused_total") == 0 {
			t.Error("expected those that were not taken to be counted")
		}
		if got := strings.Count(b.log.String(), "there are too many"); got == 0 || got > 5 {
			t.Errorf("expected a few lines about too many URLs, got %d", got)
		}
		b.has(f, "the list, which all URLs have", good)
	})
}

// Of configured certificates the URLs of those are fetched whose issuer is configured, too:
// another's list would be refused.
//
// Rules: TR9
func TestPointsOfConfiguredCertificates(t *testing.T) {
	root, stranger := need(certs.NewCA("root")), need(certs.NewCA("stranger"))
	with := func(url string) certs.Change {
		return func(c *x509.Certificate) { c.CRLDistributionPoints = []string{"ldap://x", url} }
	}
	below := need(root.Client("below", with("http://crl/of-root")))
	foreign := need(stranger.Client("foreign", with("http://crl/of-stranger")))
	root.Certificate.CRLDistributionPoints = []string{"http://crl/of-itself"}
	s := &Settings{Sets: []Set{{Issuers: []*x509.Certificate{root.Certificate, below.Certificate, foreign.Certificate}, Points: true}}}
	if got := fmt.Sprint(s.points()); got != "[http://crl/of-root]" {
		t.Errorf("expected the URL of the certificate that the root has issued, got %s", got)
	}
	s.Sets[0].Points = false
	if got := s.points(); got != nil {
		t.Errorf("expected none where they are not allowed, got %s", got)
	}
}

func TestUsablePoint(t *testing.T) {
	for url, want := range map[string]bool{"http://crl.example/a.crl": true, "http://[2001:db8::1]:8080/": true, "https://crl.example/": false, "ldap://x": false, "HTTP:": false, "http://": false,
		"http:///a": false, "http://a b/": false, "http://user@x/": false, "http://x/#a": false, "http://x/\n": false, "http://" + strings.Repeat("x", maxURL): false} {
		if got := usablePoint(url); got != want {
			t.Errorf("%.40q: expected it to be usable to be %t, got %t", url, want, got)
		}
	}
}

// While everything hangs, handing over a URL, and the lists, take no time.
//
// Rules: TR9
func TestNobodyWaitsForAServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		over := make(chan struct{})
		defer close(over)
		b.serve("crl", func(http.ResponseWriter, *http.Request) { <-over })
		b.usePoints()
		b.settings.Sets[0].URLs = []string{"http://crl/a"}
		f, stop := b.begin()
		defer stop()
		began := time.Now()
		for range 1000 {
			f.Offer([]string{"http://crl/a", "http://crl/b"})
			b.lists(f)
			f.Sources()
			f.Refresh()
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("expected no time to pass, got %v", took)
		}
	})
}
