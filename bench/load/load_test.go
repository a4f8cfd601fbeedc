package load

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"layeh.com/radius"

	"radsec-gw/bench/packets"
)

var secret = []byte("radsec")

// relay answers on the far ends of pipes as answer says; nil is silence.
func relay(t *testing.T, cfg *Config, answer func(request *radius.Packet) []byte) []connection {
	t.Helper()
	var transports []connection
	for range cfg.Connections {
		near, far := net.Pipe()
		replies := make(chan []byte, identifiers) // reading must not wait for writing: a pipe has no buffer
		go func() {
			defer close(replies)
			header := make([]byte, 4)
			for {
				if _, err := io.ReadFull(far, header); err != nil {
					return
				}
				p := make([]byte, binary.BigEndian.Uint16(header[2:]))
				copy(p, header)
				if _, err := io.ReadFull(far, p[4:]); err != nil {
					return
				}
				request, err := radius.Parse(p, secret)
				if err != nil {
					t.Errorf("the relay cannot read a request: %v", err)
					return
				}
				if reply := answer(request); reply != nil {
					replies <- reply
				}
			}
		}()
		go func() {
			for p := range replies {
				_, _ = far.Write(p)
			}
		}()
		t.Cleanup(func() { far.Close() })
		transports = append(transports, newTransport(near, readBuffer, func(c net.Conn) io.ReadWriter { return c }))
	}
	return transports
}

// accept answers accounting as it should be.
func accept(request *radius.Packet) []byte {
	b, _ := request.Response(radius.CodeAccountingResponse).Encode()
	return b
}

func testConfig(t *testing.T) *Config {
	cfg := &Config{Address: "127.0.0.1:2083", Secret: secret, Connections: 3, Outstanding: 4, Mix: packets.Mix{packets.Acct},
		Warmup: 20 * time.Millisecond, Duration: 100 * time.Millisecond, Timeout: 150 * time.Millisecond, SampleEvery: 1}
	if err := cfg.check(); err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestClosedLoop(t *testing.T) {
	cfg := testConfig(t)
	var calls []bool
	cfg.Measured = func(end bool) { calls = append(calls, end) }
	r, err := run(context.Background(), cfg, relay(t, cfg, accept))
	if err != nil {
		t.Fatal(err)
	}
	if r.Counted == 0 || r.Lost+r.Bad+r.Unmatched != 0 || r.Broken != 0 || r.Sent != r.Answered || r.Verified != r.Answered {
		t.Errorf("a relay that answers everything is reported as\n%v", r)
	}
	if r.P50 <= 0 || r.P99 < r.P50 || r.Max < r.P999 {
		t.Errorf("percentiles are not in order:\n%v", r)
	}
	if len(calls) != 2 || calls[0] || !calls[1] {
		t.Errorf("Measured was called with %v, want [false true]", calls)
	}
}

func TestClosedLoopCountsLost(t *testing.T) {
	cfg := testConfig(t)
	var n atomic.Int32
	r, err := run(context.Background(), cfg, relay(t, cfg, func(p *radius.Packet) []byte {
		if n.Add(1) == 5 {
			return nil
		}
		return accept(p)
	}))
	if err != nil {
		t.Fatal(err)
	}
	if r.Lost != 1 || r.Bad != 0 || r.Sent != r.Answered+1 {
		t.Errorf("one silence is reported as\n%v", r)
	}
}

func TestClosedLoopCountsBad(t *testing.T) {
	for name, spoil := range map[string]func([]byte) []byte{
		"signature": func(b []byte) []byte { b[10] ^= 1; return b },
		"code":      func(b []byte) []byte { b[0] = byte(radius.CodeAccessReject); return b },
	} {
		cfg := testConfig(t)
		var n atomic.Int32
		r, err := run(context.Background(), cfg, relay(t, cfg, func(p *radius.Packet) []byte {
			if n.Add(1) == 5 {
				return spoil(accept(p))
			}
			return accept(p)
		}))
		if err != nil {
			t.Fatal(err)
		}
		if r.Bad != 1 || r.Lost != 0 || r.Error == "" {
			t.Errorf("one wrong %s is reported as\n%v", name, r)
		}
	}
}

func TestBrokenConnection(t *testing.T) {
	cfg := testConfig(t)
	transports := relay(t, cfg, accept)
	transports[0].kill()
	r, err := run(context.Background(), cfg, transports)
	if err != nil {
		t.Fatal(err)
	}
	if r.Broken != 1 || r.Error == "" || r.Answered == 0 {
		t.Errorf("one broken connection of three is reported as\n%v", r)
	}
}

func TestOpenLoop(t *testing.T) {
	cfg := testConfig(t)
	cfg.Rate = 3000
	r, err := run(context.Background(), cfg, relay(t, cfg, accept))
	if err != nil {
		t.Fatal(err)
	}
	// 120 ms at 3000/s, and at most one more for each connection at the ends
	if r.Sent < 350 || r.Sent > 366 || r.Lost+r.Bad != 0 || r.Answered != r.Sent {
		t.Errorf("120 ms at 3000/s is reported as\n%v", r)
	}
}

// A stall of the relay is counted from when requests were due.
func TestOpenLoopCountsStall(t *testing.T) {
	cfg := testConfig(t)
	cfg.Connections, cfg.Rate, cfg.Warmup, cfg.Duration, cfg.Timeout = 1, 200, 0, 2*time.Second, 2*time.Second
	const stall = 100 * time.Millisecond
	from := sync.OnceValue(time.Now) // the first request
	r, err := run(context.Background(), cfg, relay(t, cfg, func(p *radius.Packet) []byte {
		if wait := stall - time.Since(from()); wait > 0 {
			<-time.After(wait)
		}
		return accept(p)
	}))
	if err != nil {
		t.Fatal(err)
	}
	// Of the 20 requests that are due meanwhile the fourth still waits for 85 ms.
	if r.P99 < stall/2 || r.Lost != 0 {
		t.Errorf("a stall of %v is reported as\n%v", stall, r)
	}
}

func TestCancel(t *testing.T) {
	cfg := testConfig(t)
	cfg.Duration = time.Hour
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := run(ctx, cfg, relay(t, cfg, accept)); err == nil {
		t.Error("a run that was ended early gives a report")
	}
}

func TestOnlyLoopback(t *testing.T) {
	for address, want := range map[string]bool{"127.0.0.1:1": true, "127.9.9.9:1": true, "192.0.2.1:2083": false, "0.0.0.0:1": false} {
		if err := OnlyLoopback(address); (err == nil) != want {
			t.Errorf("OnlyLoopback(%s) = %v, want accepted: %v", address, err, want)
		}
	}
	cfg := testConfig(t)
	cfg.Outstanding = 257
	if err := cfg.check(); err == nil || !strings.Contains(err.Error(), "1 to 256") {
		t.Errorf("257 outstanding: %v, want an error that says 1 to 256", err)
	}
}
