package web

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"radsec-gw/web/status"
)

// largeState is the state of a gateway with n clients and connections, n servers of three
// ports, of which most are down, and routes.
func largeState(n, routes int) status.Snapshot {
	since := time.Now().Add(-time.Hour)
	long := strings.Repeat("x", 180)
	var s status.Snapshot
	for i := range n {
		for _, port := range []string{"auth", "acct", "coa"} {
			s.Servers = append(s.Servers, status.Server{Name: fmt.Sprintf("server-%04d-%s", i, long[:40]), Port: port, Address: fmt.Sprintf("10.0.%d.%d:1812", i/256, i%256),
				State: []string{"down", "up", "failing"}[i%3], Since: &since, Why: long, Sent: uint64(i), Capacity: 256})
		}
		c := status.Client{Name: fmt.Sprintf("client-%04d-%s", i, long[:40]), Connections: 1, LastSeenAt: &since, Subject: "CN=" + long + "<>&", ExpiresAt: new(time.Now().Add(time.Hour)), Requests: uint64(i)}
		s.Clients = append(s.Clients, c)
		s.Connections = append(s.Connections, status.Connection{Client: c.Name, Remote: "192.0.2.1:4711", Subject: c.Subject, ExpiresAt: c.ExpiresAt, TLS: "TLS 1.3", Since: since})
		s.Certificates = append(s.Certificates, status.Certificate{For: "ca", File: long, Subject: "CN=" + long, Issuer: "CN=" + long, ExpiresAt: since})
		s.Files = append(s.Files, status.File{Path: long, Key: "client[7].ca"})
		s.RevocationLists = append(s.RevocationLists, status.RevocationList{Issuer: "CN=" + long, NextUpdate: &since, Stale: true})
	}
	for i := range routes {
		s.Routes = append(s.Routes, status.Route{Number: i + 1, Realms: []string{fmt.Sprintf("realm-%05d.%s", i, long[:60])}, Packets: []string{"access"}, Servers: []string{"a", "b"},
			State: "unserved", Unserved: []string{"auth"}, Since: &since})
	}
	for i := range 240 {
		s.Events = append(s.Events, status.Event{Severity: status.Warning, Message: long, Count: i, FirstAt: since, LastAt: since, Fields: []status.Field{{Key: "error", Value: long + long[:120]}}})
	}
	return s
}

// With 1,000 clients, 1,000 servers and 10,000 routes the page has at most 300 kB, and the
// JSON 1 MB, whatever is asked for; they say how much they omit, and every element can be
// reached.
func TestSizeIsBounded(t *testing.T) {
	b := newBed(t, nil)
	b.state = largeState(1000, 10_000)
	for _, query := range []string{"", "?q=server", "?q=x", "?all=servers", "?all=servers&from=2500", "?all=routes", "?all=problems", "?all=connections", "?all=certificates", "?all=events"} {
		for path, most := range map[string]int{"/": maxPage, "/api/v1/status": maxJSON} {
			code, body, _ := b.ask("GET", path+query, "")
			if code != http.StatusOK || len(body) > most || path == "/" && !strings.HasSuffix(body, "</html>\n") && !strings.Contains(body, "</html>") {
				t.Errorf("%s%s: %d with %d bytes, expected 200, a whole page and at most %d bytes", path, query, code, len(body), most)
			}
			b.server.shared.current = nil
		}
	}
	_, page, _ := b.ask("GET", "/", "")
	for _, want := range []string{"?all=servers", "?all=routes", "?all=clients", "?all=problems", "server_down"} {
		if want != "server_down" && !strings.Contains(page, want) {
			t.Errorf("the page has no link to %s", want)
		}
	}
	seen := map[string]bool{}
	for next := "?all=servers"; next != ""; {
		_, text, _ := b.ask("GET", "/"+next, "")
		for _, part := range strings.Split(text, "<bdi>server-")[1:] {
			seen[part[:4]] = true
		}
		before, _, more := strings.Cut(text, `">next</a>`)
		if next = ""; more {
			next = strings.ReplaceAll(before[strings.LastIndex(before, `href="`)+6:], "&amp;", "&")
		}
		b.server.shared.current = nil
	}
	if len(seen) != 1000 {
		t.Errorf("the pages of the list have %d servers, expected 1000", len(seen))
	}
}

// A hundred callers at once cause one snapshot and one rendering, and cost little memory.
//
// Fault S2.
func TestCallersShareARendering(t *testing.T) {
	b := newBed(t, nil)
	b.state = largeState(300, 3000)
	renderings := 0
	render := b.server.shared.render
	b.server.shared.render = func(s *status.Snapshot, r request) ([]byte, error) {
		renderings++ // one at a time
		return render(s, r)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var callers sync.WaitGroup
	began := time.Now()
	for range 64 {
		callers.Go(func() {
			if code, body, _ := b.ask("GET", "/", "", "Accept-Encoding", "gzip"); code != http.StatusOK || len(body) > maxPage {
				t.Errorf("%d with %d bytes", code, len(body))
			}
		})
	}
	callers.Wait()
	seconds := int(time.Since(began)/snapshotFor) + 1 // fewer if one takes long
	runtime.ReadMemStats(&after)
	if made := int(b.made.Load()); made > seconds || renderings > seconds {
		t.Errorf("64 callers within %d seconds caused %d snapshots and %d renderings, expected one a second", seconds, made, renderings)
	}
	if grown := int64(after.TotalAlloc - before.TotalAlloc); grown > int64(seconds)*64<<20 {
		t.Errorf("64 callers allocated %d MB, expected at most 64 for each rendering", grown>>20)
	}
}

// A snapshot is a second old at most, and the views of one second are bounded.
//
// Fault S2.
func TestViewsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		assembled, rendered := 0, 0
		s := newShared(func() *status.Snapshot { assembled++; return &status.Snapshot{} },
			func(*status.Snapshot, request) ([]byte, error) { rendered++; return []byte("body"), nil })
		var callers sync.WaitGroup
		began := time.Now()
		for i := range 2*maxViews + 1 {
			callers.Go(func() {
				if _, err := s.get(t.Context(), request{view: status.View{Text: fmt.Sprint(i)}}); err != nil {
					t.Errorf("view %d: %v", i, err)
				}
			})
		}
		callers.Wait()
		if took := time.Since(began); took < 2*snapshotFor || took > 3*snapshotFor || assembled != 3 || rendered != 2*maxViews+1 {
			t.Errorf("%d views took %v, %d snapshots and %d renderings; expected two to three seconds and three snapshots", 2*maxViews+1, took, assembled, rendered)
		}
		for i := range 20 * maxViews {
			callers.Go(func() {
				_, err := s.get(t.Context(), request{view: status.View{Text: fmt.Sprint("more ", i)}})
				if err != nil && err != errBusy {
					t.Error(err)
				}
			})
		}
		if _, err := s.get(t.Context(), request{}); err != nil {
			t.Errorf("the whole page must be available whatever else is asked for, got %v", err)
		}
		callers.Wait()
		if took := time.Since(began); took > 3*snapshotFor+longestWait+time.Second {
			t.Errorf("callers waited %v, expected at most %v", took, longestWait)
		}
	})
}

// Views that are asked for at the same time are rendered one after the other, so that they take one
// processor and the memory of one, and each caller gets his own.
//
// Fault S2.
func TestOneViewIsRenderedAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rendering := 0
		s := newShared(func() *status.Snapshot { return &status.Snapshot{} }, func(_ *status.Snapshot, r request) ([]byte, error) {
			if rendering++; rendering > 1 {
				t.Error("two views are rendered at one time")
			}
			time.Sleep(time.Millisecond)
			rendering--
			return []byte(strings.Repeat("x", len(r.view.Text))), nil
		})
		var callers sync.WaitGroup
		for i := range maxViews {
			callers.Go(func() {
				got, err := s.get(t.Context(), request{view: status.View{Text: strings.Repeat("v", i+1)}})
				if err != nil || got.size != i+1 {
					t.Errorf("view %d: %d bytes, %v; expected %d", i, got.size, err, i+1)
				}
			})
		}
		callers.Wait()
	})
}

// A snapshot that takes long is shared for longer: it costs a tenth of a processor.
func TestExpensiveSnapshotsAreSharedLonger(t *testing.T) {
	for takes, shared := range map[time.Duration]time.Duration{0: snapshotFor, 300 * time.Millisecond: 3 * time.Second, time.Second: mostFor} {
		synctest.Test(t, func(t *testing.T) {
			made := 0
			s := newShared(func() *status.Snapshot { made++; time.Sleep(takes); return &status.Snapshot{} },
				func(*status.Snapshot, request) ([]byte, error) { return nil, nil })
			get := func(want int) {
				if _, err := s.get(t.Context(), request{}); err != nil || made != want {
					t.Errorf("a snapshot that takes %v: %d were made, %v; expected %d", takes, made, err, want)
				}
			}
			get(1)
			time.Sleep(shared - time.Millisecond)
			get(1)
			time.Sleep(time.Millisecond)
			get(2)
		})
	}
}

// After a panic while a snapshot is made there is another snapshot: it does not break the page
// until a restart.
func TestAPanicIsNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		made := 0
		s := newShared(func() *status.Snapshot {
			if made++; made == 1 {
				panic("no such server")
			}
			return &status.Snapshot{}
		}, func(*status.Snapshot, request) ([]byte, error) { return []byte("body"), nil })
		get := func() (err error) {
			defer func() {
				if v := recover(); v != nil {
					err = fmt.Errorf("panic: %v", v)
				}
			}()
			_, err = s.get(t.Context(), request{})
			return err
		}
		for range 2 {
			if err := get(); err == nil || err.Error() != "panic: no such server" || made != 1 {
				t.Errorf("in the first second: %d snapshots, %v; expected the panic of the first", made, err)
			}
		}
		time.Sleep(snapshotFor)
		if err := get(); err != nil || made != 2 {
			t.Errorf("a second later: %d snapshots, %v; expected another one", made, err)
		}
	})
}

// The compressed answer is the same page.
func TestCompressed(t *testing.T) {
	b := newBed(t, nil)
	b.busy()
	_, plain, header := b.ask("GET", "/", "", "Accept-Encoding", "br, gzip;q=0")
	if header.Get("Content-Encoding") != "" || header.Get("Vary") != "Accept-Encoding" {
		t.Errorf("a caller without gzip got %v", header)
	}
	_, zipped, header := b.ask("GET", "/", "", "Accept-Encoding", "deflate, gzip")
	if header.Get("Content-Encoding") != "gzip" || len(zipped) > len(plain)/2 {
		t.Fatalf("got %d bytes of %q, expected gzip of less than half of %d", len(zipped), header.Get("Content-Encoding"), len(plain))
	}
	r, err := gzip.NewReader(bytes.NewReader([]byte(zipped)))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); err != nil || string(got) != plain {
		t.Errorf("the compressed page differs: %v", err)
	}
}

// A query that is not understood is refused, and not echoed as it is.
func TestQueriesAreStrict(t *testing.T) {
	b := newBed(t, nil)
	for _, query := range []string{"?x=1", "?all=nothing", "?from=-1", "?q=a&q=b", "?q=" + strings.Repeat("x", 101), "?%3Cscript%3E=1", "?q=%zz", "?q=a;server=b"} {
		if code, body, _ := b.ask("GET", "/"+query, ""); code != http.StatusBadRequest || !strings.Contains(body, "expected") || len(body) > 300 {
			t.Errorf("%s: %d %q, expected 400 and what was expected", query, code, body)
		}
	}
}
