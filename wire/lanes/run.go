package lanes

import (
	"crypto/md5"
	"encoding/binary"
)

// variant is one way to hash.
type variant uint8

const (
	scalar variant = iota
	avx2
	avx512 // the 256-bit registers of AVX-512VL, with its rotation and ternary logic
)

const (
	groupLanes = 8              // lanes of a vector register
	maxLanes   = 2 * groupLanes // lanes that are worth running at once
)

// states are the words a, b, c, d of all lanes, as the block functions hold
// them in registers.
type states [maxLanes / groupLanes][4][groupLanes]uint32

// lanesRun is the state of runLanes. Lanes 0 to busy-1 have work.
type lanesRun struct {
	states  states
	offsets [maxLanes]uint64 // of the next block, in the arena
	left    [maxLanes]uint32 // blocks of the message
	message [maxLanes]uint32
	busy    int
}

// runLanes hashes the chains side by side. Whenever a message ends its lane
// goes on with what follows it, or else with the next chain. Longest chains
// begin first, so that none is left to run alone at the end.
func (h *Hasher) runLanes() {
	r, arena := &h.run, h.arena
	if len(h.chains) > groupLanes {
		longestFirst(h.chains)
	}
	next := min(len(h.chains), maxLanes)
	for lane, c := range h.chains[:next] {
		h.load(lane, c.first)
	}
	for r.busy = next; r.busy > 0; {
		n := r.left[0]
		for _, left := range r.left[1:r.busy] {
			n = min(n, left)
		}
		for lane := r.busy; lane < maxLanes; lane++ {
			r.offsets[lane] = r.offsets[0] // an idle lane reads the same octets as a busy one
		}
		h.variant.blocks(r.busy > groupLanes, &r.states, &arena[0], &r.offsets, int(n))
		for lane := r.busy - 1; lane >= 0; lane-- {
			r.offsets[lane] += uint64(n) * md5.BlockSize
			if r.left[lane] -= n; r.left[lane] > 0 {
				continue
			}
			number := r.message[lane]
			sum := &h.sums[number]
			r.sum(lane, sum)
			switch m := &h.messages[number]; {
			case m.more:
				combine(arena[m.into:], sum)
				h.load(lane, number+1)
			case next < len(h.chains):
				h.load(lane, h.chains[next].first)
				next++
			default:
				if r.busy--; lane != r.busy {
					r.move(lane, r.busy)
				}
			}
		}
	}
}

// longestFirst sorts chains by insertion: there are few.
func longestFirst(chains []chain) {
	for i := 1; i < len(chains); i++ {
		c, j := chains[i], i
		for ; j > 0 && chains[j-1].blocks < c.blocks; j-- {
			chains[j] = chains[j-1]
		}
		chains[j] = c
	}
}

// load gives a lane a message.
func (h *Hasher) load(lane int, number uint32) {
	r, m := &h.run, &h.messages[number]
	r.message[lane], r.left[lane], r.offsets[lane] = number, m.blocks, uint64(m.offset)
	s := &r.states[lane/groupLanes]
	for i, w := range m.start.words {
		s[i][lane%groupLanes] = w
	}
}

// sum writes the digest of a lane whose message has ended.
func (r *lanesRun) sum(lane int, to *[md5.Size]byte) {
	s := &r.states[lane/groupLanes]
	for i := range s {
		binary.LittleEndian.PutUint32(to[4*i:], s[i][lane%groupLanes])
	}
}

// move moves the work of lane from to lane to.
func (r *lanesRun) move(to, from int) {
	r.message[to], r.left[to], r.offsets[to] = r.message[from], r.left[from], r.offsets[from]
	for i := range 4 {
		r.states[to/groupLanes][i][to%groupLanes] = r.states[from/groupLanes][i][from%groupLanes]
	}
}
