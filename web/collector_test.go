package web

import (
	"io"
	"net/http"
	"runtime"
	"runtime/debug"
	"testing"
)

// Requests have their garbage collected when it is a part of the live heap, whatever Go's own
// target is, so that callers do not double the memory.
//
// Fault S1.
func TestRequestsCollectTheirGarbage(t *testing.T) {
	const each, times = 4 << 20, 100
	var made []byte
	b := newBed(t, func(c *Config) {
		c.Scrape = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			made = make([]byte, each)
			io.WriteString(w, "1")
		})
	})
	runtime.GC()
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // Go collects nothing by itself
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	highest := before.HeapAlloc
	for range times {
		if code, _, _ := b.ask("GET", "/metrics", ""); code != http.StatusOK {
			t.Fatalf("got %d", code)
		}
		runtime.ReadMemStats(&now)
		highest = max(highest, now.HeapAlloc)
	}
	runtime.KeepAlive(made)
	if grown := highest - before.HeapAlloc; grown > before.HeapAlloc/garbageShare+16*each {
		t.Errorf("%d requests with %d MB of garbage each made the heap grow by %d MB, from %d MB", times, each>>20, grown>>20, before.HeapAlloc>>20)
	}
}
