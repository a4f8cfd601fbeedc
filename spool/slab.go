package spool

// handle is the place of a value in its slab; 0: none.
type handle uint32

// slabChunk is how many values are allocated together: growing neither copies those that
// exist, which would take long with a million of them, nor moves them.
const slabChunk = 1024

// slab holds values that refer to each other by handles instead of pointers, so that the
// garbage collector need not follow a million of them. Memory is used again, but not
// returned. The zero slab is empty.
type slab[T any] struct {
	chunks []*[slabChunk]T
	free   []handle
	used   handle // handles given out so far
}

// add returns the handle of a zero value.
func (s *slab[T]) add() handle {
	if last := len(s.free) - 1; last >= 0 {
		h := s.free[last]
		s.free = s.free[:last]
		return h
	}
	s.used++
	if int(s.used) > len(s.chunks)*slabChunk {
		s.chunks = append(s.chunks, new([slabChunk]T))
	}
	return s.used
}

// at returns the value of a handle that is in use.
func (s *slab[T]) at(h handle) *T { return &s.chunks[(h-1)/slabChunk][(h-1)%slabChunk] }

// remove makes a handle free, and its value zero.
func (s *slab[T]) remove(h handle) {
	var zero T
	*s.at(h) = zero
	s.free = append(s.free, h)
}
