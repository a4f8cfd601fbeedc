package stream

import (
	"bytes"
	"fmt"
	"testing"

	"radsec-gw/cluster/natstest"
)

// BenchmarkAdd adds as many values at a time as the spool does at most, of the size of a usual
// record, with sync_interval always: each is synced before it is acknowledged.
func BenchmarkAdd(b *testing.B) {
	for _, servers := range []int{1, 3} {
		b.Run(fmt.Sprintf("servers=%d", servers), func(b *testing.B) {
			c := natstest.Start(b, servers)
			s, err := Open(b.Context(), connected(c, "p", servers))
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			const together = 2048
			values := make([]Value, together)
			for i := range values {
				values[i].Data = bytes.Repeat([]byte{1}, 300)
			}
			for b.Loop() {
				if err := s.Add(values); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N*together)/b.Elapsed().Seconds(), "records/s")
		})
	}
}
