package web

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"runtime"
	"testing"
	"time"
)

// Hundreds of callers that do not read their answers, and fill the kernel's backlog too, keep
// nobody out; those that are closed for others leave nothing behind.
//
// Fault S1.
func TestUnreadAnswersKeepNobodyOut(t *testing.T) {
	big := bytes.Repeat([]byte("x"), 8<<20) // more than the kernel buffers
	b := newBed(t, func(c *Config) {
		c.MaxConnections, c.MaxWaiting = 4, 3
		c.Scrape = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(big) })
	})
	address, _ := b.serve()
	before := runtime.NumGoroutine()
	for i := range 3 {
		for range 400 {
			b.call(address, "127.0.0.1", "GET /metrics HTTP/1.1\r\nHost: [::1]\r\n\r\n")
		}
		err := get(address, ownAddress("127.0.0.2"), "/healthz", maxWait)
		for tries := 1; err != nil && tries < 3; tries++ { // where it is slow to accept them all
			err = get(address, ownAddress("127.0.0.2"), "/healthz", maxWait)
		}
		if err != nil {
			t.Errorf("a health check behind %d callers that do not read: %v", 400*(i+1), err)
		}
	}
	// Long before those outside would have been closed anyhow.
	for end := time.Now().Add(queueTimeout / 2); runtime.NumGoroutine() > before+50; <-time.After(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d goroutines, expected at most 50 more than the %d before", runtime.NumGoroutine(), before)
		}
	}
}

// A connection whose peer does not read the answer is closed before others that are being
// answered; one that is written to at this moment is not.
func TestOrderOfUnreadAnswers(t *testing.T) {
	b := newBed(t, nil)
	c := newConn(&fakeConn{source: "192.0.2.1"}, &limited{server: b.server})
	c.stage = serving
	for _, row := range []struct {
		ago  time.Duration
		want int
	}{{0, servingLast}, {time.Second, freshWaiting}} {
		since := time.Now().Add(-row.ago)
		c.writing.Store(&since)
		if got := c.order(); got != row.want {
			t.Errorf("writing for %v: order %d, expected %d", row.ago, got, row.want)
		}
	}
}

// Little is written to one that asks and does not read.
//
// Fault S1.
func TestLittleIsWrittenToOneThatDoesNotRead(t *testing.T) {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := newBed(t, nil).server.limit(tcp)
	defer l.Close()
	caller, err := net.Dial("tcp", tcp.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer caller.Close()
	caller.(*net.TCPConn).SetReadBuffer(4096)
	io.WriteString(caller, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	written := 0
	for err == nil {
		c.SetWriteDeadline(time.Now().Add(200 * time.Millisecond))
		var n int
		n, err = c.Write(make([]byte, 16<<10))
		written += n
	}
	if written > 512<<10 {
		t.Errorf("%d bytes were written, expected at most 512 KiB", written)
	}
	t.Logf("%d bytes", written)
}
