package tlsfront

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
)

// For random input, arrivals agrees with a plain list.
func TestArrivalsAgreeWithAList(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	gauge := 0
	s := newArrivals(func(n int) { gauge += n })
	var all []*arrival
	source := func() netip.Addr { return netip.AddrFrom4([4]byte{192, 0, 2, byte(random.IntN(5))}) }
	of := func(source netip.Addr) (list []*arrival) {
		for _, a := range all {
			if a.source == source {
				list = append(list, a)
			}
		}
		return list
	}
	for range 20000 {
		if random.IntN(40) > len(all) || len(all) == 0 {
			a := &arrival{source: source()}
			s.add(a)
			all = append(all, a)
		} else {
			i := random.IntN(len(all))
			s.remove(all[i])
			all = slices.Delete(all, i, i+1)
		}
		if s.n != len(all) || gauge != len(all) {
			t.Fatalf("there are %d arrivals, and %d in the metric, want %d", s.n, gauge, len(all))
		}
		from := source()
		if got, want := s.count(from), len(of(from)); got != want {
			t.Fatalf("%v has %d arrivals, want %d", from, got, want)
		}
		most := 0
		for _, a := range all {
			most = max(most, len(of(a.source)))
		}
		g := s.largest()
		if g == nil {
			if most != 0 {
				t.Fatalf("no source is the largest, want one with %d", most)
			}
			continue
		}
		if want := of(g.source); g.oldest.Len() != most || g.first() != want[0] {
			t.Fatalf("the largest source has %d arrivals, want %d; or its oldest is wrong", g.oldest.Len(), most)
		}
		if a := s.next(); a != of(a.source)[0] {
			t.Fatal("the next arrival is not the oldest of its source")
		}
	}
	turns := map[netip.Addr]bool{}
	for range len(s.groups) {
		turns[s.next().source] = true
	}
	if len(turns) != len(s.groups) {
		t.Errorf("of %d sources %d had their turn in one round", len(s.groups), len(turns))
	}
}
