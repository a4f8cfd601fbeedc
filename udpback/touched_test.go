package udpback

import (
	"slices"
	"testing"
)

// noisy is a connection that puts its name down when it is flushed.
type noisy struct {
	name    string
	flushed *[]string
}

func (c *noisy) Flush() { *c.flushed = append(*c.flushed, c.name) }

// Each connection is flushed once, in the order in which the batch came to them; the
// next batch begins with none. In the long run a batch allocates nothing.
func TestTouched(t *testing.T) {
	var flushed []string
	a, b := &noisy{"a", &flushed}, &noisy{"b", &flushed}
	var touched Touched
	for _, conn := range []*noisy{b, a, b, b, a} {
		touched.Add(conn)
	}
	if flushed != nil {
		t.Errorf("flushed before the batch was complete: %v", flushed)
	}
	touched.Flush()
	touched.Flush()
	touched.Add(a)
	touched.Flush()
	if want := []string{"b", "a", "a"}; !slices.Equal(flushed, want) {
		t.Errorf("flushed %v, expected %v", flushed, want)
	}
	n := testing.AllocsPerRun(100, func() {
		flushed = flushed[:0]
		touched.Add(a)
		touched.Add(b)
		touched.Flush()
	})
	if n != 0 {
		t.Errorf("%v allocations for a batch, expected none", n)
	}
}
