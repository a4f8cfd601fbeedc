//go:build !race && !lockorder

package logs

import (
	"io"
	"testing"
)

// Putting a line allocates nothing, whether it fits or not.
func TestPutAllocatesNothing(t *testing.T) {
	o := NewOutput(io.Discard)
	defer o.Close()
	line := make([]byte, 230)
	for k := range Kind(NumKinds) {
		if n := testing.AllocsPerRun(30_000, func() { o.Put(k, line) }); n != 0 {
			t.Errorf("a line of kind %v allocates %v times, expected 0", k, n)
		}
	}
}
