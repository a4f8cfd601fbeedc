package stream

import (
	"bytes"
	"fmt"
	"testing"

	"radsec-gw/cluster/natstest"
)

// together is how many values the spool adds or removes at a time at most.
const together = 2048

// BenchmarkAdd adds values of the size of a usual record, with sync_interval always: each is
// synced before it is acknowledged.
func BenchmarkAdd(b *testing.B) {
	benchmark(b, func(b *testing.B, s *Store, values []Value) {
		for b.Loop() {
			if err := s.Add(values); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkRemove removes such values. Each is read before, so that no other is removed.
func BenchmarkRemove(b *testing.B) {
	benchmark(b, func(b *testing.B, s *Store, values []Value) {
		seqs := make([]uint64, len(values))
		isSame := func(_ uint64, data []byte) bool { return bytes.Equal(data, values[0].Data) }
		for b.Loop() {
			b.StopTimer()
			if err := s.Add(values); err != nil {
				b.Fatal(err)
			}
			for i, v := range values {
				seqs[i] = v.Seq
			}
			b.StartTimer()
			if err := s.Remove(seqs, isSame); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// benchmark calls f for one and for three NATS servers, with as many values as go together.
func benchmark(b *testing.B, f func(b *testing.B, s *Store, values []Value)) {
	for _, servers := range []int{1, 3} {
		b.Run(fmt.Sprintf("servers=%d", servers), func(b *testing.B) {
			c := natstest.Start(b, servers)
			s, err := Open(b.Context(), connected(c, "p", servers))
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			values := make([]Value, together)
			for i := range values {
				values[i].Data = bytes.Repeat([]byte{1}, 300)
			}
			f(b, s, values)
			b.ReportMetric(float64(b.N*together)/b.Elapsed().Seconds(), "records/s")
		})
	}
}
