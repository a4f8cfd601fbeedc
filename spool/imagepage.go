package spool

// kindOf returns the kind of a page.
func kindOf(page []byte) uint16 { return machine.Uint16(page[8:]) }

// page reads a page that the tree leads to, with those that belong to it. It returns nil for
// one that does not exist.
func (im *image) page(id uint64) []byte {
	if id < 2 || id >= im.whole || im.seen[id] {
		im.damaged(lostBranch, "page %d does not exist, or is used twice", id)
		return nil
	}
	b := im.readPage(id)
	if b == nil {
		im.damaged(lostBranch, "page %d cannot be read", id)
		return nil
	}
	if got := machine.Uint64(b); got != id {
		im.damaged(lostNothing, "page %d says that it is page %d", id, got)
	}
	for i := range uint64(int64(len(b)) / im.pageSize) {
		if im.seen[id+i] {
			im.damaged(lostBranch, "page %d is used twice", id+i)
		}
		im.seen[id+i] = true
	}
	return b
}

// readPage reads a page with those that belong to it. The memory is used again by the next call.
func (im *image) readPage(id uint64) []byte {
	b := im.readPages(id, 1)
	if b == nil {
		return nil
	}
	count, kind := 1+uint64(machine.Uint32(b[12:])), kindOf(b)
	if count > 1 {
		if id+count > im.meta.pages {
			im.damaged(lostBranch, "page %d has %d more pages, which do not exist", id, count-1)
			count = 1
		} else if b = im.readPages(id, count); b == nil {
			return nil
		}
	}
	if kind != branchPage && kind != leafPage {
		return b
	}
	// The elements say how many pages there are, too.
	size := int64(im.pageSize)
	if n := uint64((extent(b) + size - 1) / size); n > 0 && n != count {
		im.damaged(lostBranch, "page %d has %d more pages, but its elements take %d", id, count-1, n-1)
		b = im.readPages(id, n)
	}
	return b
}

// readPages reads pages, as many as there are.
func (im *image) readPages(id, count uint64) []byte {
	n := int64(min(count, im.whole-id)) * im.pageSize
	if int64(len(im.buf)) < n {
		im.buf = make([]byte, n)
	}
	if _, err := im.f.ReadAt(im.buf[:n], int64(id)*im.pageSize); err != nil {
		return nil
	}
	return im.buf[:n]
}

// extent returns how many octets a branch or leaf takes by what its elements say: each begins
// where the one before it ends. It returns 0 if they do not, or if there are none.
func extent(b []byte) int64 {
	count := int64(machine.Uint16(b[10:]))
	end := headerLength + count*elementLength
	if count == 0 {
		return 0
	}
	branch := kindOf(b) == branchPage
	for i := range count {
		at := headerLength + i*elementLength
		if at+elementLength > int64(len(b)) {
			return 0
		}
		e := b[at:]
		position, length := machine.Uint32(e[4:]), int64(machine.Uint32(e[8:]))+int64(machine.Uint32(e[12:]))
		if branch {
			position, length = machine.Uint32(e), int64(machine.Uint32(e[4:]))
		}
		if at+int64(position) != end {
			return 0
		}
		end += length
	}
	return end
}

// pageElement is what one element of a page says.
type pageElement struct {
	flags      uint32
	key, value []byte
	page       uint64 // below; of a branch
}

// elements returns the elements of a page that lie within it. The memory is used again by the
// next call.
func (im *image) elements(b []byte) []pageElement {
	im.list = im.list[:0]
	count, most := int(machine.Uint16(b[10:])), (len(b)-headerLength)/elementLength
	branch := kindOf(b) == branchPage
	if most > 0 {
		position := b[headerLength+4:]
		if branch {
			position = b[headerLength:]
		}
		// The first key follows the last element, which says how many these are, too.
		if n := int(machine.Uint32(position)); n != count*elementLength {
			im.damaged(lostBranch, "a page has %d elements, but its first key is at %d", count, n)
			count = max(count, n/elementLength)
		}
	}
	for i := range min(count, most) {
		if e, ok := elementOf(b[headerLength+i*elementLength:], branch); ok {
			im.list = append(im.list, e)
		} else {
			im.damaged(lostBranch, "an element does not lie within its page")
		}
	}
	return im.list
}

// elementOf returns the element that b begins with; false if it does not lie within b.
func elementOf(b []byte, branch bool) (e pageElement, ok bool) {
	var position, keyLength, valueLength uint64
	if branch {
		position, keyLength, e.page = uint64(machine.Uint32(b)), uint64(machine.Uint32(b[4:])), machine.Uint64(b[8:])
	} else {
		e.flags = machine.Uint32(b)
		position, keyLength, valueLength = uint64(machine.Uint32(b[4:])), uint64(machine.Uint32(b[8:])), uint64(machine.Uint32(b[12:]))
	}
	if position+keyLength+valueLength > uint64(len(b)) {
		return e, false
	}
	b = b[position:]
	e.key, e.value = b[:keyLength:keyLength], b[keyLength:keyLength+valueLength]
	return e, true
}
