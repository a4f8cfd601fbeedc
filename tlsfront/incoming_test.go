package tlsfront

import (
	"bytes"
	"crypto/tls"
	"slices"
	"testing"

	"radsec-gw/wire"
)

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

// records returns TLS records with contents of these lengths.
func records(lengths ...int) (b []byte) {
	for _, n := range lengths {
		b = append(b, 23, 3, 3, byte(n>>8), byte(n))
		b = append(b, make([]byte, n)...)
	}
	return b
}

// Over TLS: many packets in one record, and one packet in many records (RFC 6614 §3.4
// (1)). Requests of different kinds share a connection (RFC 6614bis §3.7).
//
// Rules: P3, P116
func TestPacketsArriveHoweverRecordsAreSplit(t *testing.T) {
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

// Records that together are longer than the read buffer arrive completely, although none
// ends where a read ends.
func TestManyRecordsAtOnce(t *testing.T) {
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
