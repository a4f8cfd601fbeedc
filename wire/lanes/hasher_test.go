package lanes

import (
	"bytes"
	"crypto/md5"
	"fmt"
	"math/rand/v2"
	"testing"
)

var names = map[variant]string{scalar: "scalar", avx2: "AVX2", avx512: "AVX-512"}

// everyVariant runs a test for each way to hash that this processor has.
func everyVariant(t *testing.T, test func(t *testing.T, h *Hasher)) {
	for _, v := range variants() {
		t.Run(names[v], func(t *testing.T) { test(t, newVariant(v, 1, 1)) })
	}
}

// A digest is the same however many others are computed with it.
func TestEveryLengthEveryCount(t *testing.T) {
	everyVariant(t, func(t *testing.T, h *Hasher) {
		r := rand.New(rand.NewPCG(1, 2))
		data := octets(r, 4200)
		length := 0
		next := func() int { length = (length + 1) % (len(data) + 1); return length }
		for done := 0; done <= len(data); {
			for count := 1; count <= 32; count++ {
				h.Reset()
				want := make([][16]byte, count)
				for i := range want {
					n := next()
					number, m := h.Add(Initial(), n)
					if number != i || len(m) != n {
						t.Fatalf("message %d of %d octets: got number %d, %d octets", i, n, number, len(m))
					}
					copy(m, data)
					want[i] = md5.Sum(data[:n])
					done++
				}
				h.Run()
				for i := range want {
					if got := *h.Sum(i); got != want[i] {
						t.Fatalf("message %d of %d, the last has %d octets: expected %x, got %x", i, count, length, want[i], got)
					}
				}
			}
		}
	})
}

// Random batches: mixed lengths, prepared states, chains.
func TestMixedBatches(t *testing.T) {
	everyVariant(t, func(t *testing.T, h *Hasher) {
		seed := rand.Uint64()
		for round := range 400 {
			r := rand.New(rand.NewPCG(seed, uint64(round)))
			h.Reset()
			checkBatch(t, fmt.Sprintf("seed %d round %d", seed, round), h, r, 1+r.IntN(40), 1+r.IntN(1200))
		}
	})
}

// checkBatch queues count random messages, some after others, and compares.
func checkBatch(t *testing.T, name string, h *Hasher, r *rand.Rand, count, most int) {
	t.Helper()
	want := make([][16]byte, count)
	for i := range want {
		var m []byte
		whole := octets(r, r.IntN(most)) // what is hashed before the start state included
		start := Initial()
		for len(whole) >= 64 && start.octets < 128 && r.IntN(2) == 0 {
			start = start.Take((*[64]byte)(whole[start.octets:]))
			if uint64(len(whole)) < start.octets+64 {
				break
			}
		}
		rest := whole[start.octets:]
		if i > 0 && len(rest) >= 16 && r.IntN(3) == 0 {
			at := r.IntN(len(rest) - 15)
			_, m = h.Then(start, len(rest), at)
			copy(m, rest)
			for j := range want[i-1] {
				rest[at+j] ^= want[i-1][j]
			}
		} else {
			_, m = h.Add(start, len(rest))
			copy(m, rest)
		}
		want[i] = md5.Sum(whole)
	}
	h.Run()
	for i := range want {
		if got := *h.Sum(i); got != want[i] {
			t.Fatalf("%s: message %d of %d: expected %x, got %x", name, i, count, want[i], got)
		}
	}
}

func octets(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// Running an empty queue does nothing.
func TestNothingToHash(t *testing.T) {
	everyVariant(t, func(t *testing.T, h *Hasher) {
		h.Run()
		h.Reset()
		h.Run()
		h.Add(Initial(), 0)
		h.Run()
		if want := md5.Sum(nil); *h.Sum(0) != want {
			t.Errorf("expected %x, got %x", want, *h.Sum(0))
		}
	})
}

func TestNothingAllocates(t *testing.T) {
	everyVariant(t, func(t *testing.T, h *Hasher) {
		packet, start := bytes.Repeat([]byte{7}, 300), Initial()
		batch := func() {
			h.Reset()
			for range 12 {
				_, m := h.Add(start, len(packet))
				copy(m, packet)
				h.Then(start, 16, 0)
			}
			h.Run()
		}
		if n := testing.AllocsPerRun(100, batch); n != 0 {
			t.Errorf("expected no allocation, got %v a batch", n)
		}
	})
}

// FuzzRun compares every variant with crypto/md5 on batches of the fuzzer's
// making.
func FuzzRun(f *testing.F) {
	f.Add(uint64(1), uint8(1), uint16(20))
	f.Add(uint64(2), uint8(9), uint16(300))
	f.Add(uint64(3), uint8(32), uint16(4096))
	f.Add(uint64(4), uint8(255), uint16(64))
	f.Fuzz(func(t *testing.T, seed uint64, count uint8, most uint16) {
		for _, v := range variants() {
			r := rand.New(rand.NewPCG(seed, 0))
			checkBatch(t, names[v], newVariant(v, 1, 1), r, 1+int(count), 1+int(most)%4200)
		}
	})
}

func BenchmarkRun(b *testing.B) {
	for _, size := range []int{150, 300, 1100} {
		for _, count := range []int{1, 2, 4, 8, 16} {
			for _, v := range variants() {
				b.Run(fmt.Sprintf("octets=%d/messages=%d/%s", size, count, names[v]), func(b *testing.B) {
					h, packet, start := newVariant(v, 16, 16*1100), bytes.Repeat([]byte{7}, size), Initial()
					b.SetBytes(int64(size * count))
					for b.Loop() {
						h.Reset()
						for range count {
							_, m := h.Add(start, size)
							copy(m, packet)
						}
						h.Run()
					}
				})
			}
			b.Run(fmt.Sprintf("octets=%d/messages=%d/crypto-md5", size, count), func(b *testing.B) {
				packet := bytes.Repeat([]byte{7}, size)
				b.SetBytes(int64(size * count))
				for b.Loop() {
					for range count {
						md5.Sum(packet)
					}
				}
			})
		}
	}
}

// The digest of a message must fit into the one that follows: a mistake of the caller
// must not write into another message.
func TestThenWithoutRoom(t *testing.T) {
	for at, panics := range map[int]bool{-1: true, 0: false, 4: false, 5: true, 20: true} {
		h := New(1, 1)
		h.Add(Initial(), 3)
		func() {
			defer func() {
				if (recover() != nil) != panics {
					t.Errorf("at %d of 20 octets: expected a panic: %t", at, panics)
				}
			}()
			h.Then(Initial(), 20, at)
		}()
	}
}
