package tlsfront

import (
	"bytes"
	"errors"
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

// cutAll passes the chunks to a cutter one by one.
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
	return packets, c.incomplete(), nil
}

// stream returns three packets: the shortest, one of 57 octets, and the longest.
func stream() (packets [][]byte, all []byte) {
	packets = [][]byte{packet(wire.MinLength, 1), packet(57, 2), packet(wire.MaxLength, 3)}
	return packets, slices.Concat(packets...)
}

// RFC 6614 §3.4 (1): only the Length field determines where packets end.
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
		t.Errorf("a packet of which a part has arrived: incomplete %v, error %v; want true and none", started, err)
	}
}

// RFC 6613 §2.6.4, RFC 2865 §3: a Length outside 20..4096 is an error as soon as it is
// read.
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

// holding holds back what is written, to send it in one write.
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
