package lanes

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// The longest chains come first, those of one length in the order in which they
// were added.
func TestLongestFirst(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	for count := range 20 {
		chains := make([]chain, count)
		for i := range chains {
			chains[i] = chain{first: uint32(i), blocks: uint32(r.IntN(5))}
		}
		want := slices.Clone(chains)
		slices.SortStableFunc(want, func(a, b chain) int { return int(b.blocks) - int(a.blocks) })
		if longestFirst(chains); !slices.Equal(chains, want) {
			t.Errorf("seed %d: expected %v, got %v", seed, want, chains)
		}
	}
}

// A chain is as long as all its messages.
func TestChainsAreCounted(t *testing.T) {
	h := New(1, 1)
	h.Add(Initial(), 100) // two blocks with its padding
	h.Then(Initial(), 16, 0)
	h.Then(Initial(), 200, 0)
	h.Add(Initial(), 0)
	if want := []chain{{0, 2 + 1 + 4}, {3, 1}}; !slices.Equal(h.chains, want) {
		t.Errorf("expected the chains %v, got %v", want, h.chains)
	}
}
