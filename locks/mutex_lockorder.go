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
	var c C
	acquire(c.class())
	m.mu.Lock()
}

// Unlock unlocks m, which this goroutine has locked.
func (m *Mutex[C]) Unlock() {
	var c C
	release(c.class())
	m.mu.Unlock()
}

// held has what each goroutine holds. Only the goroutine itself changes its entry.
var held sync.Map // goroutine's number, a string: []class

// acquire records that the goroutine waits for a lock, or has it.
func acquire(c class) {
	g := goroutine()
	v, _ := held.Load(g)
	all, _ := v.([]class)
	for _, other := range all {
		if other.rank > c.rank || other.rank == c.rank && !c.nests {
			panic(fmt.Sprintf("locks: %s is acquired by a goroutine that holds %s", c.name, other.name))
		}
	}
	held.Store(g, append(all, c))
}

// release records that the goroutine has a lock no more.
func release(c class) {
	g := goroutine()
	v, _ := held.Load(g)
	all, _ := v.([]class)
	i := slices.Index(all, c)
	if i < 0 {
		panic(fmt.Sprintf("locks: %s is unlocked by a goroutine that has not locked it", c.name))
	}
	if len(all) == 1 {
		held.Delete(g)
		return
	}
	held.Store(g, slices.Delete(all, i, i+1))
}

// goroutine returns the number of the running goroutine, which begins its trace.
func goroutine() string {
	var b [64]byte
	trace := b[:runtime.Stack(b[:], false)]
	return string(bytes.Fields(trace)[1])
}
