package crlfetch

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"radsec-gw/certs"
	"radsec-gw/certs/certstest"
	"radsec-gw/metrics"
)

// answers has what servers may answer instead of a newer list.
func answers(b *bench, other *certs.CA) map[metrics.Fetch]map[string]http.HandlerFunc {
	body := func(b []byte) http.HandlerFunc { return func(w http.ResponseWriter, _ *http.Request) { w.Write(b) } }
	status := func(n int) http.HandlerFunc { return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(n) } }
	redirect := func(to string) http.HandlerFunc {
		return func(w http.ResponseWriter, q *http.Request) { http.Redirect(w, q, to, http.StatusFound) }
	}
	head := func(name, value string, then http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, q *http.Request) { w.Header().Set(name, value); then(w, q) }
	}
	good := b.crl(0, time.Hour)
	now := time.Now()
	foreign := need(certstest.CRL(other, now, now.Add(time.Hour)))
	older := b.crl(100*time.Hour, 240*time.Hour)
	return map[metrics.Fetch]map[string]http.HandlerFunc{
		metrics.FetchStatus: {"500": status(500), "404": status(404), "204": status(204), "304 to a request without conditions": status(304)},
		metrics.FetchRedirect: {"a loop": redirect("/a"), "to https": redirect("https://crl/a"), "to a file": redirect("file:///etc/passwd"),
			"without a target": status(302)},
		metrics.FetchTooLarge: {"100 MB": hundredMegabytes, "100 MB announced": head("Content-Length", "104857600", status(200))},
		metrics.FetchMalformed: {"an empty body": status(200), "a web page": body([]byte("<html>sign in")), "half a list": body(good[:len(good)/2]),
			"a list and more": body(append(bytes.Clone(good), 'x')), "a certificate": body(other.Certificate.Raw), "two lists in DER": body(append(bytes.Clone(good), good...)),
			"an encoding that was not asked for": head("Content-Encoding", "gzip", body(good)), "a header of 1 MB": head("X", strings.Repeat("x", 1<<20), status(200)),
			"a damaged block in PEM": body([]byte(strings.Replace(string(pemOf(good)), "M", "!", 1)))},
		metrics.FetchForeign:     {"a list of another CA": body(foreign), "a good list and one of another CA": body(pemOf(good, foreign)), "a changed byte": body(flipped(good))},
		metrics.FetchFuture:      {"a list of tomorrow": body(b.crl(-24*time.Hour, 48*time.Hour))},
		metrics.FetchOlder:       {"an older list": body(older)},
		metrics.FetchInterrupted: {"half of the announced body": head("Content-Length", "1000", body(good[:100])), "no answer": hangUp},
	}
}

// flipped returns a list with another serial number than the CA has signed.
func flipped(der []byte) []byte {
	out := bytes.Clone(der)
	out[len(out)-1] ^= 1 // of the signature
	return out
}

func hundredMegabytes(w http.ResponseWriter, _ *http.Request) {
	part := make([]byte, 1<<20)
	for range 100 {
		if _, err := w.Write(part); err != nil {
			return
		}
	}
}

func hangUp(w http.ResponseWriter, _ *http.Request) {
	c, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		c.Close()
	}
}

// Whatever a server answers, the last good list stays in use, the result is counted, and the
// cause is logged and shown with what to do.
//
// Rules: TR9
func TestBadAnswersLeaveTheLastListInUse(t *testing.T) {
	other := need(certs.NewCA("another"))
	b := newBench(t)
	for result, all := range answers(b, other) {
		for what, h := range all {
			t.Run(what, func(t *testing.T) {
				ca := b.ca
				b := newBench(t)
				b.ca = ca
				first := b.crl(time.Hour, 240*time.Hour)
				var calls atomic.Int32
				srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
					if calls.Add(1) == 1 {
						w.Write(first)
						return
					}
					h(w, q)
				}))
				defer srv.Close()
				url := srv.URL + "/a"
				b.set(url)
				cfg := b.config()
				cfg.Dial = nil // real sockets
				f := New(cfg)
				f.Prepare(t.Context(), b.current())
				src := f.sources[url]
				src.fetch(t.Context())
				b.has(f, "after the first fetch", first)
				<-f.Changed()
				src.fetch(t.Context())
				b.has(f, "after the bad answer", first)
				s := f.Sources()[0]
				if s.Result != result || s.Err == "" || s.Advice == "" || s.Failing.IsZero() {
					t.Errorf("expected the result %s with its cause and advice, got %s: %q, %q", result, s.Result, s.Err, s.Advice)
				}
				if got := b.counts(); got != "ok 1, "+result.String()+" 1" {
					t.Errorf("expected ok and %s to be counted, got %s", result, got)
				}
				if !strings.Contains(b.log.String(), "result="+result.String()) || !strings.Contains(b.log.String(), "the last good list stays in use") {
					t.Errorf("expected the cause in the log, got\n%s", b.log)
				}
				select {
				case <-f.Changed():
					t.Error("expected nothing to be announced, because nothing has changed")
				default:
				}
			})
		}
	}
}

// Servers that hang or send slowly are given up after 30 s, whatever they have sent by then.
//
// Rules: TR9
func TestSlowServers(t *testing.T) {
	for what, h := range map[string]func(body []byte, over chan struct{}) http.HandlerFunc{
		"hangs before the header": func(_ []byte, over chan struct{}) http.HandlerFunc {
			return func(http.ResponseWriter, *http.Request) { <-over }
		},
		"hangs in the body": func(body []byte, over chan struct{}) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) {
				w.Write(body[:50])
				w.(http.Flusher).Flush()
				<-over
			}
		},
		"drips": func(body []byte, over chan struct{}) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) {
				for _, one := range body {
					select {
					case <-over:
						return
					case <-time.After(time.Second):
					}
					w.Write([]byte{one})
					w.(http.Flusher).Flush()
				}
			}
		},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				over := make(chan struct{})
				defer close(over)
				b.serve("crl", h(b.crl(0, time.Hour), over))
				f, stop := b.begin()
				defer stop()
				<-time.After(fetchTimeout - time.Millisecond)
				synctest.Wait()
				if got := b.counts(); got != "" {
					t.Errorf("expected the fetch to go on for 30 s, got %s", got)
				}
				<-time.After(2 * time.Millisecond)
				synctest.Wait()
				if got := b.counts(); got != "timeout 1" {
					t.Errorf("expected a timeout after 30 s, got %s", got)
				}
				if s := f.Sources()[0]; !strings.Contains(s.Err, "30s") || !strings.Contains(b.log.String(), "there is none yet") {
					t.Errorf("expected the cause, got %q", s.Err)
				}
			})
		})
	}
}

// A server that nothing is known of, and one that refuses, are unreachable.
//
// Rules: TR9
func TestUnreachableServers(t *testing.T) {
	l := need(net.Listen("tcp", "127.0.0.1:0"))
	closed := l.Addr().String()
	l.Close()
	for what, row := range map[string][2]string{
		"a closed port":                  {"http://" + closed + "/a", "connection refused"},
		"a name that no server can have": {"http://no-such-name.invalid./a", "no-such-name.invalid"},
	} {
		b := newBench(t)
		b.set(row[0])
		cfg := b.config()
		cfg.Dial = nil
		f := New(cfg)
		f.Prepare(t.Context(), b.current())
		f.sources[row[0]].fetch(t.Context())
		s := f.Sources()[0]
		if s.Result != metrics.FetchUnreachable || !strings.Contains(s.Err, row[1]) || strings.Contains(s.Err, "/a") {
			t.Errorf("%s: expected it to be unreachable with the cause, got %s: %q", what, s.Result, s.Err)
		}
	}
}

// The end of the gateway ends a fetch at once, without counting a failure.
//
// Rules: TR9
func TestEndOfAFetch(t *testing.T) {
	asked := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) {
		close(asked)
		<-q.Context().Done()
	}))
	defer srv.Close()
	b := newBench(t)
	b.set(srv.URL)
	cfg := b.config()
	cfg.Dial = nil
	f := New(cfg)
	ctx, cancel := context.WithCancel(t.Context())
	b.change(ctx, f)
	done := make(chan struct{})
	go func() { f.Run(ctx); close(done) }()
	<-asked
	cancel()
	<-done
	if got := b.counts(); got != "" {
		t.Errorf("expected nothing to be counted, got %s", got)
	}
}

// A redirect by http is followed. The request tells who asks, and nothing else.
//
// Rules: TR9
func TestRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		t.Setenv("HTTP_PROXY", "http://proxy:80")
		b := newBench(t)
		good := b.crl(0, time.Hour)
		seen := ""
		b.serve("crl", func(w http.ResponseWriter, q *http.Request) {
			http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
			http.Redirect(w, q, "http://mirror/b", http.StatusMovedPermanently)
		})
		b.serve("mirror", func(w http.ResponseWriter, q *http.Request) {
			seen = fmt.Sprintf("%s %s%s %v", q.Method, q.Host, q.URL, q.Header)
			w.Write(pemOf(good))
		})
		f, stop := b.begin()
		defer stop()
		synctest.Wait()
		b.has(f, "after a redirect", good)
		const want = "GET mirror/b map[Accept:[application/pkix-crl, application/x-pem-file, */*;q=0.1] Connection:[close] User-Agent:[radsec-gw/test]]"
		if seen != want {
			t.Errorf("expected the request %s, got %s", want, seen)
		}
	})
}

// Three redirects are followed, a fourth is not.
//
// Rules: TR9
func TestRedirects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		good := b.crl(0, time.Hour)
		b.serve("crl", func(w http.ResponseWriter, q *http.Request) {
			if n := len(q.URL.Path); n < 9 {
				http.Redirect(w, q, q.URL.Path+"a", http.StatusTemporaryRedirect)
				return
			}
			w.Write(good)
		})
		f := New(b.config())
		for path, want := range map[string]bool{"/12345678": true, "/12345": true, "/1234": false} {
			_, failed := f.get(t.Context(), "http://crl"+path, validators{}, false)
			if (failed == nil) != want || failed != nil && failed.result != metrics.FetchRedirect {
				t.Errorf("%s: expected the redirects to be followed to be %t, got %v", path, want, failed)
			}
		}
		for _, c := range b.conns {
			c.Close()
		}
	})
}

// A URL in a certificate, and a redirect, do not lead to what listens on this machine itself;
// a URL of the configuration does.
//
// Rules: TR9
func TestLocalAddresses(t *testing.T) {
	b := newBench(t)
	var asked atomic.Int32
	good := b.crl(0, time.Hour)
	local := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { asked.Add(1); w.Write(good) }))
	defer local.Close()
	_, port, _ := net.SplitHostPort(local.Listener.Addr().String())
	leads := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		http.Redirect(w, q, "http://localhost:"+port+"/x", http.StatusFound)
	}))
	defer leads.Close()
	cfg := b.config()
	cfg.Dial = nil
	f := New(cfg)
	for _, row := range []struct {
		what, url string
		point     bool
		want      *metrics.Fetch
	}{
		{"a configured URL", local.URL, false, nil},
		{"a certificate's URL", local.URL, true, new(metrics.FetchLocalAddress)},
		{"a redirect", leads.URL, false, new(metrics.FetchLocalAddress)},
	} {
		_, failed := f.get(t.Context(), row.url, validators{}, row.point)
		if (failed == nil) != (row.want == nil) || failed != nil && failed.result != *row.want {
			t.Errorf("%s: expected the result %v, got %v", row.what, row.want, failed)
		}
	}
	if asked.Load() != 1 {
		t.Errorf("expected one request, got %d", asked.Load())
	}
	for address, refused := range map[string]bool{"127.0.0.1:80": true, "[::1]:80": true, "[::ffff:127.0.0.1]:80": true, "169.254.169.254:80": true, "0.0.0.0:80": true,
		"[fe80::1%eth0]:80": true, "224.0.0.1:80": true, "192.0.2.1:80": false, "10.0.0.1:80": false, "[2001:db8::1]:80": false} {
		if got := checkAddress(address) != nil; got != refused {
			t.Errorf("%s: expected it to be refused to be %t, got %t", address, refused, got)
		}
	}
}

// A list of 50,000 entries is fetched, and read within the time that a machine of the last
// decade needs for it.
//
// Rules: TR9
func TestLargeList(t *testing.T) {
	b := newBench(t)
	l := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Now(), NextUpdate: time.Now().Add(time.Hour)}
	for i := range 50_000 {
		l.RevokedCertificateEntries = append(l.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: big.NewInt(int64(i) + 1<<40), RevocationTime: l.ThisUpdate})
	}
	der := need(x509.CreateRevocationList(rand.Reader, l, b.ca.Certificate, b.ca.Key))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.Copy(w, bytes.NewReader(der)) }))
	defer srv.Close()
	b.set(srv.URL)
	cfg := b.config()
	cfg.Dial = nil
	f := New(cfg)
	f.Prepare(t.Context(), b.current())
	f.sources[srv.URL].fetch(t.Context())
	b.has(f, "a large list", der)
	if got := f.Sources()[0]; got.Bytes != len(der) || len(got.Lists[0].RevokedCertificateEntries) != 50_000 {
		t.Errorf("expected %d bytes and 50,000 entries, got %d and %d", len(der), got.Bytes, len(got.Lists[0].RevokedCertificateEntries))
	}
}
