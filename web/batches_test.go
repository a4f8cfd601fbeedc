package web

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Callers that ask at the same time get one rendering, which began after each of them asked; the
// renderings of 0.4 s take two thirds of a processor. The rest after a longer one is no longer.
//
// Faults S1 and S2.
func TestOneRenderingForAllThatWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var rendered, now atomic.Int32
		s := &batches{render: func(_ string, w http.ResponseWriter) {
			if now.Add(1) > 1 {
				t.Error("two renderings at one time")
			}
			time.Sleep(400 * time.Millisecond)
			now.Add(-1)
			fmt.Fprint(w, rendered.Add(1))
		}}
		ask := func(variant string) string {
			w := httptest.NewRecorder()
			s.answer(w, httptest.NewRequest("GET", "/", nil), variant)
			return w.Body.String()
		}
		answers := make(chan string, 40)
		go func() { answers <- ask("a") }()
		time.Sleep(time.Millisecond) // the first has begun
		start := time.Now()
		for i := range 39 {
			go func() { answers <- ask(string(rune('a' + i%3))) }()
		}
		got := map[string]int{}
		for range 40 {
			got[<-answers]++
		}
		if fmt.Sprint(got) != "map[1:1 2:13 3:13 4:13]" {
			t.Errorf("the answers were %v, expected one rendering for those who asked before it, and three for the others", got)
		}
		if took := time.Since(start); took < 2*time.Second || took > 2300*time.Millisecond {
			t.Errorf("four renderings of 0.4 s took %v, expected a rest of 0.2 s after each", took)
		}
	})
}

// The rest is half the rendering, so that renderings take two thirds of a processor; no caller waits
// for more of it than longestRest.
func TestTheRestIsBounded(t *testing.T) {
	for took, want := range map[time.Duration]time.Duration{100 * time.Millisecond: 50 * time.Millisecond, 2 * longestRest: longestRest, 2 * time.Second: longestRest} {
		start := time.Unix(1000, 0)
		if got := new(batches).rest(start, start.Add(took)); got != want {
			t.Errorf("after a rendering of %v the rest is %v, expected %v", took, got, want)
		}
	}
}

// Callers that ask again and again cause a rendering each pace, also where one costs nothing; a
// caller who comes every few seconds does not wait.
//
// Fault S1.
func TestLoopingCallersAreRenderedForAtAPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rendered := 0
		s := &batches{render: func(string, http.ResponseWriter) { rendered++ }}
		ask := func() (waited time.Duration) {
			start := time.Now()
			s.answer(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil), "a")
			return time.Since(start)
		}
		const seconds = 10
		for start := time.Now(); time.Since(start) < seconds*time.Second; {
			ask()
		}
		if most := burst + int(seconds*time.Second/pace) + 1; rendered > most || rendered < most/2 {
			t.Errorf("expected about %d renderings in %d s, got %d", most, seconds, rendered)
		}
		time.Sleep(time.Minute)
		for range 20 {
			if waited := ask(); waited > 0 {
				t.Errorf("a caller with an interval of 2 s waited %v", waited)
			}
			time.Sleep(2 * time.Second)
		}
	})
}

// A caller that has gone is not rendered for.
func TestNothingIsRenderedForNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rendered := 0
		s := &batches{render: func(string, http.ResponseWriter) { rendered++; time.Sleep(time.Second) }}
		go s.answer(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil), "")
		synctest.Wait()
		r := httptest.NewRequest("GET", "/", nil)
		ctx, gone := context.WithCancel(r.Context())
		go s.answer(httptest.NewRecorder(), r.WithContext(ctx), "")
		synctest.Wait()
		gone()
		time.Sleep(time.Minute)
		if rendered != 1 {
			t.Errorf("rendered %d times, want once", rendered)
		}
	})
}

// A panic while rendering is an answer 500 and a line in the log.
func TestAPanicWhileRenderingIsAnAnswer(t *testing.T) {
	b := newBed(t, func(c *Config) {
		c.Scrape = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("no such series") })
	})
	if status, _, _ := b.ask("GET", "/metrics", ""); status != 500 {
		t.Errorf("got %d, want 500", status)
	}
	if !strings.Contains(b.printed.String(), `panic="no such series"`) {
		t.Errorf("logged %s", b.printed)
	}
}

// Renderings that their callers do not read are not kept without bound: the callers are closed.
//
// Faults S1 and S2.
func TestOldRenderingsAreNotKept(t *testing.T) {
	big := strings.Repeat("x", 8<<20) // more than the kernel buffers
	b := newBed(t, func(c *Config) {
		c.Scrape = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, big) })
	})
	address, _ := b.serve()
	var all []*caller
	for range maxRenderings + 3 {
		c := b.call(address, "127.0.0.1", "GET /metrics HTTP/1.1\r\nHost: [::1]\r\n\r\n")
		if !c.answered() { // the beginning of it
			t.Fatal("no answer")
		}
		all = append(all, c)
	}
	for i, c := range all[:2] {
		if n, _ := io.Copy(io.Discard, c); n >= int64(len(big)) {
			t.Errorf("caller %d of %d, which had not read its answer, got all of it later", i, len(all))
		}
	}
	if n, _ := io.Copy(io.Discard, all[len(all)-1]); n < int64(len(big)) {
		t.Errorf("the last caller got %d octets of %d", n, len(big))
	}
}

// Callers choose between few formats, so that they cannot make more renderings.
func TestFormatsOfAScrape(t *testing.T) {
	const prometheus3 = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
	for accept, want := range map[string]string{
		"": "text/plain", "*/*": "text/plain", "text/html": "text/plain", ",;,": "text/plain", "text/plain;q=2": "text/plain",
		prometheus3: "application/openmetrics-text",
		"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6," + prometheus3: "application/vnd.google.protobuf",
		"application/openmetrics-text;q=0,text/plain;q=0.1":                                                               "text/plain",
	} {
		if got, _, _ := strings.Cut(scrapeType([]string{accept}), ";"); got != want {
			t.Errorf("%q: got %s, want %s", accept, got, want)
		}
	}
	b := newBed(t, nil)
	_, body, header := b.ask("GET", "/metrics", "", "Accept-Encoding", "gzip")
	if header.Get("Content-Encoding") != "gzip" || !strings.HasPrefix(body, "\x1f\x8b") {
		t.Errorf("asked for gzip, and got %v %.10q", header, body)
	}
}
