package lanes

import "golang.org/x/sys/cpu"

// variants lists the ways to hash that this processor has, the best first.
func variants() []variant {
	list := make([]variant, 0, 3)
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX512VL {
		list = append(list, avx512)
	}
	if cpu.X86.HasAVX2 {
		list = append(list, avx2)
	}
	return append(list, scalar)
}

// blocks advances the states of the first half of the lanes, or of all, by n blocks, n at
// least 1. Lane i reads arena[offsets[i]:][:64*n].
func (v variant) blocks(all bool, s *states, arena *byte, offsets *[maxLanes]uint64, n int) {
	switch {
	case v == avx512 && all:
		blocks16AVX512(s, arena, offsets, n)
	case v == avx512:
		blocks8AVX512(s, arena, offsets, n)
	case all:
		blocks16AVX2(s, arena, offsets, n)
	default:
		blocks8AVX2(s, arena, offsets, n)
	}
}

//go:noescape
func blocks8AVX2(state *states, arena *byte, offsets *[maxLanes]uint64, blocks int)

//go:noescape
func blocks16AVX2(state *states, arena *byte, offsets *[maxLanes]uint64, blocks int)

//go:noescape
func blocks8AVX512(state *states, arena *byte, offsets *[maxLanes]uint64, blocks int)

//go:noescape
func blocks16AVX512(state *states, arena *byte, offsets *[maxLanes]uint64, blocks int)
