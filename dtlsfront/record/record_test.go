package record_test

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"testing"

	"radsec-gw/dtlsfront/record"
)

// suites are all that are supported.
var suites = []uint16{
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	record.ECDHEPSKWithChaCha20Poly1305,
}

// pair returns both ends of one direction.
func pair(t testing.TB, suite uint16, cid []byte) (*record.Sealer, *record.Opener) {
	t.Helper()
	s := record.Secrets{Suite: suite, Master: make([]byte, 48)}
	rand.Read(s.Master)
	rand.Read(s.ClientRandom[:])
	client, server, err := s.Derive()
	if err != nil {
		t.Fatal(err)
	}
	if a, b := record.NewSealer(client, 1, 0, nil).Seal(nil, 23, nil), record.NewSealer(server, 1, 0, nil).Seal(nil, 23, nil); bytes.Equal(a, b) {
		t.Error("both directions have the same keys")
	}
	return record.NewSealer(client, 1, 0, cid), record.NewOpener(client)
}

// What is sealed is opened, with each suite, and with a Connection ID and without; what was
// changed in any octet is not.
// Rules: DT2, DT7
func TestSealAndOpen(t *testing.T) {
	for _, suite := range suites {
		for _, cid := range [][]byte{nil, []byte("8 octets")} {
			t.Run(fmt.Sprintf("%#04x with the ID %q", suite, cid), func(t *testing.T) {
				sealer, opener := pair(t, suite, cid)
				content := []byte("what is sealed\x00\x00")
				for range 3 {
					sealer.Seal(nil, record.Alert, nil)
				}
				sealed := sealer.Seal([]byte("before"), record.ApplicationData, content)[len("before"):]
				for i := range sealed {
					changed := bytes.Clone(sealed)
					changed[i]++
					if r, _, ok := record.Next(changed, 8); ok {
						if kind, got, ok := opener.Open(&r); ok && (kind != record.ApplicationData || !bytes.Equal(got, content)) {
							t.Errorf("octet %d was changed, and the record opens", i)
						}
					}
				}
				r, rest, ok := record.Next(append(bytes.Clone(sealed), 1, 2), 8)
				if !ok || r.Epoch != 1 || r.Sequence != 3 || !bytes.Equal(r.CID, cid) || len(rest) != 2 {
					t.Fatalf("the record is read as %+v, with %d octets after it", r, len(rest))
				}
				kind, got, ok := opener.Open(&r)
				if !ok || kind != record.ApplicationData || !bytes.Equal(got, content) {
					t.Errorf("it opens to the type %d and %q, expected %d and %q", kind, got, record.ApplicationData, content)
				}
			})
		}
	}
}

// A suite that is not an AEAD is refused.
func TestUnknownSuite(t *testing.T) {
	s := record.Secrets{Suite: tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, Master: make([]byte, 48)}
	if _, _, err := s.Derive(); err == nil {
		t.Error("keys are derived for a CBC suite")
	}
}

// No record is sealed when all sequence numbers are used.
func TestExhausted(t *testing.T) {
	s := record.Secrets{Suite: suites[0], Master: make([]byte, 48)}
	client, _, _ := s.Derive()
	sealer := record.NewSealer(client, 1, record.MaxSequence, nil)
	if sealer.Exhausted() {
		t.Error("the last sequence number is not used")
	}
	sealer.Seal(nil, record.Alert, nil)
	if !sealer.Exhausted() {
		t.Error("expected that no sequence number is left")
	}
}

// The window admits each sequence number once, as a list of them does that has a memory of 64.
func TestWindowAgainstList(t *testing.T) {
	var seed [8]byte
	rand.Read(seed[:])
	random := newRandom(seed)
	w, seen, next := record.NewWindow(3), map[uint64]bool{0: true, 1: true, 2: true}, uint64(3)
	for range 10000 {
		n := uint64(max(0, int(next)-90+int(random(100))))
		want := !seen[n] && n+64 >= next
		if got := w.New(n); got != want {
			t.Fatalf("seed %x: %d with %d next: new is %v, expected %v", seed, n, next, got, want)
		}
		if want {
			if w.Newest(n) != (n >= next) {
				t.Fatalf("seed %x: %d with %d next: newest is %v", seed, n, next, w.Newest(n))
			}
			w.Add(n)
			seen[n], next = true, max(next, n+1)
		}
	}
}

// newRandom returns numbers below n that only depend on the seed.
func newRandom(seed [8]byte) func(n uint64) uint64 {
	x := uint64(1)
	for _, b := range seed {
		x = x<<8 ^ uint64(b) ^ x>>3
	}
	return func(n uint64) uint64 {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		return x % n
	}
}

// Whatever the octets, no record is read beyond them, and none opens that was not sealed.
func FuzzNext(f *testing.F) {
	for _, cid := range [][]byte{nil, []byte("8 octets")} {
		sealer, _ := pair(f, suites[0], cid)
		one := sealer.Seal(nil, record.ApplicationData, []byte("content"))
		f.Add(one)
		f.Add(append(one, one...))
		f.Add(one[:len(one)-1])
	}
	f.Add(record.AppendPlain(nil, record.Handshake, 7, []byte("plain")))
	_, opener := pair(f, suites[4], nil)
	f.Fuzz(func(t *testing.T, b []byte) {
		total := len(b)
		for {
			r, rest, ok := record.Next(b, 8)
			if !ok {
				return
			}
			if total -= record.HeaderSize + len(r.CID) + len(r.Fragment); total != len(rest) {
				t.Fatalf("%d octets follow, expected %d", len(rest), total)
			}
			if _, _, ok := opener.Open(&r); ok {
				t.Fatal("a record opens that nobody sealed")
			}
			b = rest
		}
	})
}

// Sealing and opening allocate nothing.
func TestNoAllocations(t *testing.T) {
	for _, suite := range []uint16{suites[0], suites[2], suites[4]} {
		for _, cid := range [][]byte{nil, []byte("8 octets")} {
			sealer, opener := pair(t, suite, cid)
			content, b := make([]byte, 200), make([]byte, 0, 400)
			n := testing.AllocsPerRun(100, func() {
				b = sealer.Seal(b[:0], record.ApplicationData, content)
				r, _, _ := record.Next(b, 8)
				if _, _, ok := opener.Open(&r); !ok {
					t.Fatal("it does not open")
				}
			})
			if n != 0 {
				t.Errorf("suite %#04x, ID %q: %v allocations for a record, expected none", suite, cid, n)
			}
		}
	}
}

func BenchmarkSealAndOpen(b *testing.B) {
	for _, suite := range []uint16{suites[0], suites[2], suites[4]} {
		b.Run(tls.CipherSuiteName(suite), func(b *testing.B) {
			sealer, opener := pair(b, suite, nil)
			content, out := make([]byte, 200), make([]byte, 0, 400)
			b.ReportAllocs()
			for b.Loop() {
				out = sealer.Seal(out[:0], record.ApplicationData, content)
				r, _, _ := record.Next(out, 8)
				opener.Open(&r)
			}
		})
	}
}
