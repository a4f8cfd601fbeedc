package tlsfront

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"radsec-gw/config/defaults"
	"radsec-gw/wire"
)

// tee records what it reads.
type tee struct {
	net.Conn
	seen bytes.Buffer
}

func (c *tee) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.seen.Write(b[:n])
	return n, err
}

// dialTee connects an honest client and records the octets on the network.
func (f *front) dialTee(version uint16) (*tls.Conn, *tee, *testHandler) {
	f.t.Helper()
	raw := &tee{Conn: must(net.Dial("tcp", f.addr))}
	cfg := f.clientConfig()
	cfg.MaxVersion = version
	c := tls.Client(raw, cfg)
	f.t.Cleanup(func() { c.Close() })
	if err := c.Handshake(); err != nil {
		f.t.Fatal(err)
	}
	return c, raw, await(f.t, f.opened, "the session")
}

// RFC 6614bis §4.1: each packet is one TLS record, although many are written at once.
//
// Rules: P4
func TestOnePacketIsOneRecord(t *testing.T) {
	for version, overhead := range map[uint16]int{tls.VersionTLS12: 24, tls.VersionTLS13: 17} { // nonce 8 and tag 16; type 1 and tag 16
		f := startTCP(t, nil)
		c, raw, p := f.dialTee(version)
		sizes := []int{20, 4096, 1300, 21, 3000, 20}
		var want bytes.Buffer
		for i, n := range sizes {
			b := packet(n, byte(i))
			want.Write(b)
			if !p.session.Send(b) {
				t.Fatal("Send reports false")
			}
		}
		p.session.Flush()
		got := make([]byte, want.Len())
		if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, want.Bytes()) {
			t.Fatalf("%s: the client reads something else than was sent (error %v)", tls.VersionName(version), err)
		}
		var lengths []int
		for b := raw.seen.Bytes(); len(b) > 0; {
			n := int(binary.BigEndian.Uint16(b[3:]))
			lengths = append(lengths, n-overhead)
			b = b[5+n:]
		}
		if tail := lengths[len(lengths)-len(sizes):]; fmt.Sprint(tail) != fmt.Sprint(sizes) {
			t.Errorf("%s: the last records hold %v octets, want one packet each: %v", tls.VersionName(version), tail, sizes)
		}
		f.stop()
	}
}

// Send and Flush from many goroutines: every packet arrives once and complete.
func TestSendFromManyGoroutines(t *testing.T) {
	f := startTCP(t, nil)
	c, p := f.dial()
	const senders, each = 8, 200
	var wg sync.WaitGroup
	for i := range senders {
		wg.Go(func() {
			for j := range each {
				b := packet(100, byte(i))
				b[5] = byte(j)
				if !p.session.Send(b) {
					t.Error("Send reports false")
				}
				p.session.Flush()
			}
		})
	}
	seen := map[[2]byte]int{}
	next := [senders]int{}
	b := make([]byte, 100)
	for range senders * each {
		if _, err := io.ReadFull(c, b); err != nil {
			t.Fatal(err)
		}
		i, j := b[1], b[5]
		seen[[2]byte{i, j}]++
		if int(j) != next[i] {
			t.Fatalf("sender %d: packet %d arrives, want %d", i, j, next[i])
		}
		next[i]++
	}
	wg.Wait()
	if len(seen) != senders*each {
		t.Errorf("%d different packets arrive, want %d", len(seen), senders*each)
	}
}

// Close while others send is safe.
func TestCloseWhileSending(t *testing.T) {
	f := startTCP(t, nil)
	for range 20 {
		c, p := f.dial()
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for p.session.Send(packet(500, 1)) {
					p.session.Flush()
				}
			})
		}
		go readToEnd(c)
		p.session.Close("enough")
		await(t, p.closed, "Closed")
		wg.Wait()
	}
}

// RFC 6614bis §6.2.1: a client that does not read is closed when its answers exceed the
// limit; others are not affected.
//
// Rules: P100
func TestClientThatNeverReadsIsClosed(t *testing.T) {
	f := startTCP(t, func(f *front, cfg *Config) { cfg.WriteBuffer = 64 << 10 })
	deaf, p := f.dial()
	deaf.NetConn().(*net.TCPConn).SetReadBuffer(4 << 10)
	good, q := f.dial()
	q.echo = true

	sent, most := 0, 0.0
	long := packet(wire.MaxLength, 1)
	for p.session.Send(long) { // flushes by itself
		sent++
		if sent%10 == 0 {
			good.Write(packet(50, byte(sent)))
			if _, err := io.ReadFull(good, make([]byte, 50)); err != nil {
				t.Fatalf("the client that reads is disturbed: %v", err)
			}
			most = max(most, f.metric("radsec_gw_tls_waiting_bytes"))
		}
		if sent > 10000 {
			t.Fatal("40 MB were taken for a client that does not read")
		}
	}
	await(t, p.closed, "the deaf client's session to end")
	if most <= 0 || most > 64<<10 {
		t.Errorf("at most %v octets waited, want more than none and no more than the bound of 65536", most)
	}
	good.Write(packet(50, 1))
	if _, err := io.ReadFull(good, make([]byte, 50)); err != nil {
		t.Errorf("the client that reads is disturbed: %v", err)
	}
	f.stop()
	f.wantMetric(`radsec_gw_tls_client_connections_closed_total{client="campus",reason="not_reading"}`, 1)
	f.wantMetric("radsec_gw_tls_waiting_bytes", 0)
	f.wantLine("RadSec connection closed", "reason=not_reading", "the client does not read")
}

// A client that reads late gets everything: the writer goroutine waits for it, and the
// session continues.
func TestClientThatReadsLateGetsEverything(t *testing.T) {
	f := startTCP(t, func(f *front, cfg *Config) { cfg.WriteBuffer, cfg.WriteTimeout = 64<<20, time.Hour })
	c, p := f.dial()
	const n = 6000 // 25 MB, more than the kernel takes
	for i := range n {
		if !p.session.Send(packet(wire.MaxLength, byte(i))) {
			t.Fatalf("Send reports false at packet %d", i)
		}
	}
	p.session.Flush()
	if f.metric("radsec_gw_tls_waiting_bytes") == 0 {
		t.Error("nothing waits: the test shows nothing")
	}
	b := make([]byte, wire.MaxLength)
	for i := range n {
		if _, err := io.ReadFull(c, b); err != nil || !bytes.Equal(b, packet(wire.MaxLength, byte(i))) {
			t.Fatalf("packet %d does not arrive as sent (error %v)", i, err)
		}
	}
	f.awaitMetric("radsec_gw_tls_waiting_bytes", 0)
	p.session.Send(packet(20, 1))
	p.session.Flush()
	if _, err := io.ReadFull(c, b[:20]); err != nil {
		t.Errorf("the session does not go on: %v", err)
	}
}

// RFC 6614bis §6.2.1: writes have a deadline.
//
// Rules: P100
func TestWriteTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, l := startPipe(t, nil)
		_, p := f.dialPipe(l)
		start := time.Now()
		p.session.Send(packet(20, 1))
		p.session.Flush() // returns although the pipe has no buffer and nobody reads
		if d := time.Since(start); d != 0 {
			t.Errorf("Flush blocked for %v", d)
		}
		<-p.closed
		if d := time.Since(start); !within(d, defaults.WriteTimeout) {
			t.Errorf("a client that does not take its answer is closed after %v, expected %v", d, defaults.WriteTimeout)
		}
		f.stop()
		f.wantMetric(`radsec_gw_tls_client_connections_closed_total{client="campus",reason="not_reading"}`, 1)
		f.wantLine("RadSec connection closed", "has not read its answers within 10s")
		f.wantMetric("radsec_gw_tls_waiting_bytes", 0)
	})
}
