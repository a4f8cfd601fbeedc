//go:build lockorder

package locks

import (
	"bytes"
	"fmt"
	"runtime"
	"slices"
	"sync"
)

// Mutex is a sync.Mutex of a class. Lock panics when the goroutine holds a lock that
// comes after it.
type Mutex[C Class] struct{ mu sync.Mutex }

// Lock locks m.
func (m *Mutex[C]) Lock() {
	acquire(rankOf[C]())
	m.mu.Lock()
}

// Unlock unlocks m, which this goroutine has locked.
func (m *Mutex[C]) Unlock() {
	release(rankOf[C]())
	m.mu.Unlock()
}

// rankOf returns the index of a class in order.
func rankOf[C Class]() int {
	for i := range order {
		if _, ok := order[i].class.(C); ok {
			return i
		}
	}
	panic(fmt.Sprintf("locks: %T is not in order", *new(C)))
}

// held has the ranks of the locks that each goroutine holds. Only the goroutine itself
// changes its entry.
var held sync.Map // goroutine's number, a string: []int

// acquire records that the goroutine waits for a lock of the class with that rank, or
// has it.
func acquire(rank int) {
	g := goroutine()
	v, _ := held.Load(g)
	all, _ := v.([]int)
	for _, other := range all {
		if other > rank || other == rank && !order[rank].nests {
			panic(fmt.Sprintf("locks: %s is acquired by a goroutine that holds %s", order[rank].name, order[other].name))
		}
	}
	held.Store(g, append(all, rank))
}

// release records that the goroutine no longer has a lock of the class with that rank.
func release(rank int) {
	g := goroutine()
	v, _ := held.Load(g)
	all, _ := v.([]int)
	i := slices.Index(all, rank)
	if i < 0 {
		panic(fmt.Sprintf("locks: %s is unlocked by a goroutine that has not locked it", order[rank].name))
	}
	if len(all) == 1 {
		held.Delete(g)
		return
	}
	held.Store(g, slices.Delete(all, i, i+1))
}

// goroutine returns the number of the running goroutine, from the first line of its stack
// trace.
func goroutine() string {
	var b [64]byte
	trace := b[:runtime.Stack(b[:], false)]
	return string(bytes.Fields(trace)[1])
}
