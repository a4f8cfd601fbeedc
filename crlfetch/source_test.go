package crlfetch

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// near reports whether requests were made at these times, each up to a tenth of the pause
// before earlier.
func near(got string, want ...time.Duration) bool {
	var list []string
	if got != "" {
		list = strings.Split(got, ", ")
	}
	if len(list) != len(want) {
		return false
	}
	for i, text := range list {
		at, err := time.ParseDuration(strings.Fields(text)[0])
		if err != nil || at > want[i] || at < want[i]*9/10-time.Second {
			return false
		}
	}
	return true
}

// A list is fetched at the start and then at the interval, with what the server called it. A
// server that is down is asked again soon; meanwhile the last list stays in use. The log has one
// line when it begins to fail and one when it works again.
//
// Rules: TR9
func TestListIsFetchedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		first := b.crl(time.Minute, 240*time.Hour)
		b.serve("crl", func(w http.ResponseWriter, q *http.Request) {
			if q.Header.Get("If-None-Match") == `"1"` && q.Header.Get("If-Modified-Since") == "Thu, 01 Jan 2026 00:00:00 GMT" {
				w.WriteHeader(http.StatusNotModified)
				return
			}
			w.Header().Set("ETag", `"1"`)
			w.Header().Set("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
			w.Write(first)
		})
		f, stop := b.begin()
		defer stop()
		synctest.Wait()
		b.has(f, "at the start", first)
		if _, awaited := b.lists(f); awaited {
			t.Error("expected nothing to be awaited once a list has arrived")
		}
		<-f.Changed()
		<-time.After(119 * time.Minute)
		if got := b.times(); !near(got, 0, time.Hour, 2*time.Hour) && !near(got, 0, time.Hour) {
			t.Errorf("expected a request every hour, got %s", got)
		}
		if got := b.counts(); got != "ok 1, unchanged 2" && got != "ok 1, unchanged 1" {
			t.Errorf("expected one list and then unchanged ones, got %s", got)
		}
		b.serve("crl", nil)
		f.Refresh()
		<-time.After(2 * time.Minute)
		b.has(f, "while the server is down", first)
		if s := f.Sources()[0]; s.Failing.IsZero() || !strings.Contains(s.Err, "connection refused") || s.Advice == "" {
			t.Errorf("expected a source that fails with its cause, got %+v", s)
		}
		if b.metric("crl_fetch_failing") != 1 {
			t.Error("expected crl_fetch_failing to be 1 while the server is down")
		}
		second := b.crl(0, 240*time.Hour)
		b.list(second)
		<-time.After(3 * time.Minute)
		b.has(f, "when it works again", second)
		if warned, again := strings.Count(b.log.String(), "level=WARN"), strings.Count(b.log.String(), "can be fetched again"); warned != 1 || again != 1 {
			t.Errorf("expected one warning and one line that it works again, got\n%s", b.log)
		}
		if b.metric("crl_fetch_failing") != 0 || b.metric("crl_fetch_success_timestamp_seconds") < float64(time.Now().Add(-4*time.Minute).Unix()) {
			t.Error("expected the metrics to say that fetching works")
		}
	})
}

// However often a fetch is requested, a second passes between two.
//
// Rules: TR9
func TestRequestsArePaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.list(b.crl(0, 240*time.Hour))
		f, stop := b.begin()
		defer stop()
		for range 100 {
			f.Refresh()
			<-time.After(50 * time.Millisecond)
		}
		if got := b.times(); got != "0s /a, 1s /a, 2s /a, 3s /a, 4s /a, 5s /a" && got != "0s /a, 1s /a, 2s /a, 3s /a, 4s /a" {
			t.Errorf("expected one request a second, got %s", got)
		}
	})
}

// Four servers that hang delay the others by one timeout, and nothing else.
//
// Rules: TR9
func TestHangingServersDelayOthersOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		over := make(chan struct{})
		defer close(over)
		urls := []string{"http://crl/a"}
		for i := range 2 * maxFetches {
			host := fmt.Sprintf("hangs%d", i)
			b.serve(host, func(http.ResponseWriter, *http.Request) { <-over })
			urls = append(urls, "http://"+host+"/")
		}
		good := b.crl(0, 240*time.Hour)
		b.list(good)
		b.set(urls...)
		f, stop := b.begin()
		defer stop()
		<-time.After(2*fetchTimeout + time.Second)
		b.has(f, "beside servers that hang", good)
	})
}

// A URL of the first settings is awaited from the beginning, one that a reload adds when its
// first attempt has failed, until it has delivered a list.
//
// Rules: TR9
func TestAwaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		f, stop := b.begin()
		defer stop()
		is := func(what string, want bool) {
			t.Helper()
			if _, got := b.lists(f); got != want {
				t.Errorf("%s: expected a list to be awaited to be %t, got %t", what, want, got)
			}
		}
		is("at the start", true)
		b.list(b.crl(0, 240*time.Hour))
		<-time.After(time.Minute)
		is("once it has arrived", false)
		<-f.Changed()
		over := make(chan struct{})
		defer close(over)
		b.serve("new", func(http.ResponseWriter, *http.Request) { <-over })
		b.set("http://crl/a", "http://new/")
		b.change(t.Context(), f)
		<-time.After(fetchTimeout - time.Second)
		is("while a new URL is fetched for the first time", false)
		<-time.After(2 * time.Second)
		is("once that has failed", true)
		<-f.Changed()
		b.set("http://crl/a")
		b.change(t.Context(), f)
		is("without it", false)
	})
}

// What is no longer configured is no longer fetched, nor in use; what stays keeps its lists.
//
// Rules: TR9
func TestURLsChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		first, second := b.crl(time.Hour, 240*time.Hour), b.crl(time.Minute, 240*time.Hour)
		b.list(first)
		b.serve("other", func(w http.ResponseWriter, _ *http.Request) { w.Write(second) })
		f, stop := b.begin()
		defer stop()
		synctest.Wait()
		b.set("http://crl/a", "http://other/b")
		f.Prepare(t.Context(), b.current())
		b.has(f, "before the new URL is fetched", first)
		f.Commit(&b.settings)
		synctest.Wait()
		b.has(f, "with both", first, second)
		b.times()
		b.set("http://other/b")
		b.change(t.Context(), f)
		b.has(f, "without the first", second)
		<-time.After(61 * time.Minute)
		if got := b.times(); strings.Contains(got, "/a") || !strings.Contains(got, "/b") {
			t.Errorf("expected requests for /b only, got %s", got)
		}
		if got := len(f.Sources()); got != 1 {
			t.Errorf("expected one source, got %d", got)
		}
	})
}
