package udpback

import "radsec-gw/wire"

// identifierCount is how many Identifiers a socket has.
const identifierCount = 256

// blockSize is how many slots share one piece of memory.
const blockSize = 16

// slots is the memory for the slots of one socket. Only blocks with an Identifier in use
// are there: all 256 slots are 45 kB, and most sockets of a gateway with many servers send
// nothing but a check now and then. Guarded by socket.mu.
type slots struct {
	blocks [identifierCount / blockSize]*slotBlock // nil: all are free
	uses   uint32                                  // numbers the uses of all slots; see slot.generation
}

// slotBlock is the memory for some slots, from the backend's pool.
type slotBlock struct {
	slots [blockSize]slot
	used  int // of those, not free
}

// slot returns the slot of an Identifier. That of a free one must not be changed. Once free has
// been called for the Identifier, its slot must be looked up again. With mu held.
func (s *socket) slot(id wire.ServerID) *slot {
	if b := s.slots.blocks[id/blockSize]; b != nil {
		return &b.slots[id%blockSize]
	}
	return &s.ep.server.backend.freeSlot
}

// takeSlot returns the slot of an Identifier that was free, for a new use. With mu held.
func (s *socket) takeSlot(id wire.ServerID) *slot {
	b := s.slots.blocks[id/blockSize]
	if b == nil {
		b = s.ep.server.backend.slots.Get().(*slotBlock)
		s.slots.blocks[id/blockSize] = b
	}
	b.used++
	if s.slots.uses++; s.slots.uses == 0 { // 0 means free
		s.slots.uses++
	}
	sl := &b.slots[id%blockSize]
	sl.generation = s.slots.uses
	return sl
}

// returnSlot returns the memory of a slot that is free again, unless others of its block
// are in use. With mu held.
func (s *socket) returnSlot(id wire.ServerID) {
	b := s.slots.blocks[id/blockSize]
	if b.used--; b.used == 0 {
		s.slots.blocks[id/blockSize] = nil
		s.ep.server.backend.slots.Put(b)
	}
}
