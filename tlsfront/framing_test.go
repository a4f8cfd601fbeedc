package tlsfront

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"testing"

	"radsec-gw/wire"
)

func newCutter() *cutter {
	return &cutter{pool: &sync.Pool{New: func() any { return new([wire.MaxLength]byte) }}}
}

// cutAll gives the chunks to a cutter one by one.
func cutAll(chunks ...[]byte) (packets [][]byte, started bool, err error) {
	c := newCutter()
	for _, chunk := range chunks {
		for len(chunk) > 0 {
			p, rest, err := c.next(chunk)
			if err != nil {
				return packets, false, err
			}
			if p == nil {
				break
			}
			packets = append(packets, bytes.Clone(p))
			chunk = rest
		}
		c.release()
	}
	return packets, c.started(), nil
}

// stream is three packets: the shortest, one of 57 octets, and the longest.
func stream() (packets [][]byte, all []byte) {
	packets = [][]byte{packet(wire.MinLength, 1), packet(57, 2), packet(wire.MaxLength, 3)}
	return packets, slices.Concat(packets...)
}

// RFC 6614 §3.4 (1): borders come from the Length field alone.
//
// Rules: P3
func TestPacketsAreCutHoweverTheStreamIsSplit(t *testing.T) {
	want, all := stream()
	for at := range len(all) + 1 {
		got, started, err := cutAll(all[:at], all[at:])
		if err != nil || started || !slices.EqualFunc(got, want, bytes.Equal) {
			t.Fatalf("split at octet %d: %d packets, started %v, error %v; want the three that were sent", at, len(got), started, err)
		}
	}
	got, _, err := cutAll(slices.Collect(slices.Chunk(all, 1))...)
	if err != nil || !slices.EqualFunc(got, want, bytes.Equal) {
		t.Fatalf("octet by octet: %d packets, error %v; want the three that were sent", len(got), err)
	}
	if _, started, err := cutAll(all[:30]); err != nil || !started {
		t.Errorf("a packet of which a part has come: started %v, error %v; want true and none", started, err)
	}
}

// RFC 6613 §2.6.4, RFC 2865 §3: a Length outside 20..4096 is an error as soon
// as it is read.
//
// Rules: P1, P5
func TestBadLengthIsFoundAtItsFourthOctet(t *testing.T) {
	for _, length := range []int{0, 19, 4097, 65535} {
		bad := []byte{1, 1, byte(length >> 8), byte(length)}
		for at := range len(bad) {
			packets, _, err := cutAll(packet(20, 1), bad[:at], bad[at:])
			if !errors.Is(err, wire.ErrLength) || len(packets) != 1 {
				t.Errorf("Length %d split at %d: error %v after %d packets, want ErrLength after the good one", length, at, err, len(packets))
			}
		}
	}
}

func FuzzCutter(f *testing.F) {
	_, all := stream()
	f.Add(all, uint64(1))
	f.Add(all[:30], uint64(2))
	f.Add([]byte{1, 1, 0, 19}, uint64(3))
	f.Add(append(packet(20, 1), 0, 0, 255, 255), uint64(4))
	f.Fuzz(func(t *testing.T, b []byte, seed uint64) {
		// The slow twin: the whole stream in one piece.
		var want [][]byte
		var wantErr error
		for left := b; ; {
			n, err := wire.Cut(left)
			if err != nil || n == 0 {
				wantErr = err
				break
			}
			want = append(want, left[:n])
			left = left[n:]
		}
		rnd := rand.New(rand.NewPCG(seed, 0))
		var chunks [][]byte
		for left := b; len(left) > 0; {
			n := 1 + rnd.IntN(min(len(left), 1+rnd.IntN(5000)))
			chunks = append(chunks, left[:n])
			left = left[n:]
		}
		got, _, err := cutAll(chunks...)
		if !slices.EqualFunc(got, want, bytes.Equal) || (err == nil) != (wantErr == nil) {
			t.Fatalf("seed %d: in pieces %d packets and error %v, in one %d and %v", seed, len(got), err, len(want), wantErr)
		}
	})
}

// records returns TLS records with contents of these lengths.
func records(lengths ...int) (b []byte) {
	for _, n := range lengths {
		b = append(b, 23, 3, 3, byte(n>>8), byte(n))
		b = append(b, make([]byte, n)...)
	}
	return b
}

func TestRecordBordersAreFoundHoweverTheStreamIsSplit(t *testing.T) {
	b := records(0, 1, 37, 300, 16640)
	for at := range len(b) + 1 {
		var r recordBorders
		if n := r.scan(b[:at]) + r.scan(b[at:]); n != 5 || r.within() {
			t.Fatalf("split at octet %d: %d records end, within one: %v; want 5 and no", at, n, r.within())
		}
	}
	var r recordBorders
	if r.scan(b[:7]); !r.within() {
		t.Error("after a part of a header the scanner is within no record")
	}
}

func FuzzRecordBorders(f *testing.F) {
	f.Add(records(0, 1, 300), uint16(4))
	f.Add([]byte{22, 3, 1, 255, 255, 0}, uint16(2))
	f.Fuzz(func(t *testing.T, b []byte, at uint16) {
		// The slow twin: the whole stream in one piece.
		want, left := 0, b
		for len(left) >= 5 {
			n := 5 + int(left[3])<<8 + int(left[4])
			if len(left) < n {
				break
			}
			left = left[n:]
			want++
		}
		k := min(int(at), len(b))
		var r recordBorders
		if got := r.scan(b[:k]) + r.scan(b[k:]); got != want || r.within() != (len(left) > 0) {
			t.Fatalf("%d records end, within one: %v; want %d and %v", got, r.within(), want, len(left) > 0)
		}
	})
}

// Over TLS, both ways round: many packets in a record, and a packet over many
// records (RFC 6614 §3.4 (1)). Requests of different kinds share a connection
// (RFC 6614bis §3.7).
//
// Rules: P3, P116
func TestPacketsArriveHoweverTheRecordsAreCut(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		f := startTCP(t, nil)
		cfg := f.clientConfig()
		cfg.MaxVersion = version
		c := must(tls.Dial("tcp", f.addr, cfg))
		p := await(t, f.opened, "the session")
		want, all := stream()
		for _, kind := range []wire.Code{1, 4, 40, 43, 12} { // all kinds on one connection
			one := packet(33, byte(kind))
			one[0] = byte(kind)
			want, all = append(want, one), append(all, one...)
		}
		for _, size := range []int{len(all), 1000, 7} {
			for chunk := range slices.Chunk(all, size) { // each Write is a record
				if _, err := c.Write(chunk); err != nil {
					t.Fatal(err)
				}
			}
			for i, w := range want {
				if got := await(t, p.packets, "a packet"); !bytes.Equal(got, w) {
					t.Fatalf("records of %d octets: packet %d arrives as %x, sent was %x", size, i, got, w)
				}
			}
		}
		c.Close()
		await(t, p.closed, "the end")
		f.stop()
		f.wantMetric(`radsec_gw_tls_client_connections_closed_total{client="campus",reason="peer_closed"}`, 1)
	}
}

// Records longer than one read buffer, and more than one buffer in all, arrive
// whole although none ends where a read does.
func TestManyRecordsInOneGo(t *testing.T) {
	f := startTCP(t, nil)
	c, p := f.dial()
	const n = 500
	go func() {
		for i := range n {
			c.Write(bytes.Repeat(packet(wire.MaxLength-i, byte(i)), 5)) // up to 20 KiB: two records
		}
	}()
	for i := range n {
		for range 5 {
			if got := await(t, p.packets, "a packet"); !bytes.Equal(got, packet(wire.MaxLength-i, byte(i))) {
				t.Fatalf("packet %d arrives changed", i)
			}
		}
	}
}

// What arrived together is flushed together.
func TestDrainThenFlush(t *testing.T) {
	f := startTCP(t, nil)
	raw := &holding{Conn: must(net.Dial("tcp", f.addr))}
	c := tls.Client(raw, f.clientConfig())
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	p := await(t, f.opened, "the session")
	raw.hold = true
	for i := range 10 {
		c.Write(packet(100, byte(i))) // ten records
	}
	raw.hold = false
	raw.Conn.Write(raw.held)
	if n := await(t, p.flushes, "a Flush"); n != 10 {
		t.Errorf("the first Flush came after %d packets, want all 10 that were there", n)
	}
	c.Close()
}

// holding keeps what is written, so that it goes out in one piece.
type holding struct {
	net.Conn
	hold bool
	held []byte
}

func (h *holding) Write(b []byte) (int, error) {
	if h.hold {
		h.held = append(h.held, b...)
		return len(b), nil
	}
	return h.Conn.Write(b)
}

// RFC 6613 §2.6.4: a Length outside its limits costs the connection, with
// close_notify first; packets before it count.
//
// Rules: P5
func TestBadLengthClosesTheConnection(t *testing.T) {
	f := startTCP(t, nil)
	c, p := f.dial()
	c.Write(append(packet(20, 1), 1, 2, 0, 19))
	if err := readToEnd(c); err != io.EOF {
		t.Errorf("the client sees %v, want close_notify", err)
	}
	await(t, p.packets, "the good packet")
	await(t, p.closed, "Closed")
	f.stop()
	f.wantMetric(`radsec_gw_requests_total{client="campus",fate="bad_length",kind="other"}`, 1)
	f.wantMetric(`radsec_gw_tls_client_connections_closed_total{client="campus",reason="bad_length"}`, 1)
	f.wantLine("level=WARN", "RadSec connection closed", "client=campus", "packet 2", "20 to 4096")
}

// A packet that the handler refuses costs the connection, with close_notify
// first (RFC 6613 §2.6.4), and its words are logged.
//
// Rules: P5
func TestHandlerErrorClosesTheConnection(t *testing.T) {
	f := startTCP(t, func(f *front, cfg *Config) {
		open := f.open
		f.open = func(s *Session) Handler {
			p := open(s).(*testHandler)
			p.refuse = func(b []byte) error {
				s.Send(packet(30, 9)) // an answer to an earlier packet
				return errors.New("the Request Authenticator is wrong")
			}
			return p
		}
	})
	c, p := f.dial()
	c.Write(packet(20, 1))
	if _, err := io.ReadFull(c, make([]byte, 30)); err != nil {
		t.Errorf("the answer that was queued before the end does not arrive: %v", err)
	}
	if err := readToEnd(c); err != io.EOF {
		t.Errorf("the client sees %v, want close_notify", err)
	}
	await(t, p.closed, "Closed")
	if p.session.Send(packet(20, 1)) {
		t.Error("Send takes a packet after the end")
	}
	f.stop()
	f.wantLine("RadSec connection closed", "reason=refused_packet", "packet 1: the Request Authenticator is wrong")
}

// Rules: P115
func TestPacketLimit(t *testing.T) {
	f := startTCP(t, func(f *front, cfg *Config) { cfg.MaxPacketsPerConnection = 3 })
	c, p := f.dial()
	c.Write(bytes.Repeat(packet(20, 1), 5))
	if err := readToEnd(c); err != io.EOF {
		t.Errorf("the client sees %v, want close_notify", err)
	}
	await(t, p.closed, "Closed")
	if n := len(p.packets); n != 3 {
		t.Errorf("%d packets were handled, want 3", n)
	}
}

// A FIN without close_notify in the middle of a packet is told from an end in
// order.
func TestEndWithinAPacket(t *testing.T) {
	f := startTCP(t, nil)
	c, p := f.dial()
	c.Write(packet(20, 1)[:10])
	c.CloseWrite()
	await(t, p.closed, "Closed")
	f.stop()
	f.wantLine("RadSec connection closed", "reason=broken", "within a packet")
}
