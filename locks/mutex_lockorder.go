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
	acquire(placeOf[C]())
	m.mu.Lock()
}

// Unlock unlocks m, which this goroutine has locked.
func (m *Mutex[C]) Unlock() {
	release(placeOf[C]())
	m.mu.Unlock()
}

// place is where a class stands in order.
type place struct{ group, index int }

func (p place) lock() *lock { return &order[p.group][p.index] }

// placeOf returns the place of a class.
func placeOf[C Class]() place {
	for i, group := range order {
		for j := range group {
			if _, ok := group[j].class.(C); ok {
				return place{i, j}
			}
		}
	}
	panic(fmt.Sprintf("locks: %T is not in order", *new(C)))
}

// held has the classes of the locks that each goroutine holds. Only the goroutine itself
// changes its entry.
var held sync.Map // goroutine's number, a string: []place

// acquire records that the goroutine waits for a lock of the class at that place, or has
// it.
func acquire(p place) {
	g := goroutine()
	v, _ := held.Load(g)
	all, _ := v.([]place)
	for _, other := range all {
		if other.group > p.group || other.group == p.group && !(other == p && p.lock().nests) {
			panic(fmt.Sprintf("locks: %s is acquired by a goroutine that holds %s", p.lock().name, other.lock().name))
		}
	}
	held.Store(g, append(all, p))
}

// release records that the goroutine no longer has a lock of the class at that place.
func release(p place) {
	g := goroutine()
	v, _ := held.Load(g)
	all, _ := v.([]place)
	i := slices.Index(all, p)
	if i < 0 {
		panic(fmt.Sprintf("locks: %s is unlocked by a goroutine that has not locked it", p.lock().name))
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
