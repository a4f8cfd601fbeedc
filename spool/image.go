package spool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
)

// image is the file of a database as package bbolt writes it, read without that package, which
// takes the file for granted: with one that is damaged it panics, in goroutines that nobody
// can guard, or reads what is not there. Here damage is found before it does harm, and what is
// beside it can be read.
//
// A database is a tree of pages. Leaves have keys and values; branches have the first key of
// each page below them. The first two pages take turns in saying where the tree begins: a
// commit writes new pages beside those in use, and then the older of the two.
type image struct {
	// static after construction
	f        *os.File
	size     int64
	pageSize int64
	whole    uint64                                      // pages that there are
	found    func(seq uint64, value []byte, listed bool) // is called with what may be a record, listed in the tree or not

	meta     meta
	seen     []bool // pages that were read
	free     []bool // pages that are not used
	buf      []byte
	list     []pageElement
	previous uint64 // number of the record that was read last
	highest  uint64 // number of a record in the tree
	any      bool   // a record was read
	damage   error  // the first
	lost     lost
}

// lost says which pages may have records that the tree does not lead to.
type lost uint8

const (
	lostNothing lost = iota
	lostBranch       // those that are not free
	lostCommit       // any, in records with higher numbers: those of the last commit
	lostAll          // any
)

// meta is where the tree begins.
type meta struct{ root, freelist, pages uint64 }

// The format of package bbolt. Numbers have the byte order of the machine.
const (
	boltMagic   = 0xed0cdaed
	boltVersion = 2

	headerLength  = 16 // of a page: its number, kind, elements, and how many pages follow that belong to it
	elementLength = 16 // of a branch: position, key length, page; of a leaf: flags, position, both lengths
	metaLength    = 64 // magic, version, page size, flags, root, sequence, free list, pages, commit, checksum
	bucketLength  = 16 // root, sequence; if the root is 0, its only page follows

	branchPage = 1
	leafPage   = 2
	freePage   = 16
	bucketFlag = 1
)

var machine = binary.NativeEndian

// openImage opens a database to read it. An error means that it cannot be read at all, which is
// not damage.
func openImage(path string, found func(seq uint64, value []byte, listed bool)) (*image, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: expected a regular file, got mode %v", path, info.Mode())
	}
	im := &image{f: f, found: found}
	if err == nil {
		im.size = info.Size()
		err = im.readMetas()
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return im, nil
}

// readMetas finds where the tree begins.
func (im *image) readMetas() error {
	im.pageSize = int64(os.Getpagesize())
	first, err := im.readMeta(0)
	if first.valid {
		im.pageSize = int64(machine.Uint32(first.text[8:]))
	}
	second, err2 := im.readMeta(im.pageSize)
	if err := errors.Join(err, err2); err != nil {
		return err
	}
	newest, other := first, second
	if !first.valid || second.valid && second.commit() > first.commit() {
		newest, other = second, first
	}
	im.whole = uint64(im.size / im.pageSize)
	im.seen, im.free = make([]bool, im.whole), make([]bool, im.whole)
	im.meta = meta{root: machine.Uint64(newest.text[16:]), freelist: machine.Uint64(newest.text[32:]), pages: machine.Uint64(newest.text[40:])}
	switch {
	case !newest.valid:
		im.meta = meta{pages: im.whole}
		im.damaged(lostAll, "both pages that say where the records are, are damaged")
	case newest.corrected:
		im.damaged(lostNothing, "the page of the last commit has a wrong octet")
	case !other.valid && other.commit() != newest.commit()-1:
		im.damaged(lostCommit, "the page of the last commit is damaged")
	}
	if im.whole < im.meta.pages {
		im.damaged(lostNothing, "the file is cut off: expected %d pages, got %d", im.meta.pages, im.whole)
	}
	return nil
}

// metaText is what a page says of where the tree begins.
type metaText struct {
	text             []byte
	valid, corrected bool
}

func (m *metaText) commit() uint64 { return machine.Uint64(m.text[48:]) }

// readMeta reads what a page says of where the tree begins.
func (im *image) readMeta(at int64) (*metaText, error) {
	m := &metaText{text: make([]byte, metaLength)}
	if _, err := im.f.ReadAt(m.text, at+headerLength); err != nil && err != io.EOF {
		return m, err
	}
	m.valid = isMeta(m.text)
	// One wrong octet costs nothing: there is but one octet that makes the checksum right.
	for i := 0; i < metaLength && !m.valid; i++ {
		was := m.text[i]
		for change := 1; change < 256 && !m.valid; change++ {
			m.text[i] = was ^ byte(change)
			m.valid = isMeta(m.text)
			m.corrected = m.valid
		}
		if !m.valid {
			m.text[i] = was
		}
	}
	return m, nil
}

// isMeta reports whether what a page says of where the tree begins is valid.
func isMeta(b []byte) bool {
	size := machine.Uint32(b[8:])
	if machine.Uint32(b) != boltMagic || machine.Uint32(b[4:]) != boltVersion || size < 512 || size&(size-1) != 0 {
		return false
	}
	sum := fnv.New64a()
	sum.Write(b[:metaLength-8])
	return machine.Uint64(b[metaLength-8:]) == sum.Sum64()
}

// damaged notes damage, and what may be lost by it.
func (im *image) damaged(l lost, format string, args ...any) {
	im.lost = max(im.lost, l)
	if im.damage == nil {
		im.damage = fmt.Errorf(format, args...)
	}
}

// read reads the records that the tree leads to, and the list of free pages.
func (im *image) read() {
	if im.lost == lostAll {
		return
	}
	im.readRoot()
	im.readFree()
}

// readRoot reads the page that leads to the bucket of records, and then these.
func (im *image) readRoot() {
	root, inline := uint64(0), []byte(nil)
	if b := im.page(im.meta.root); b != nil {
		if kindOf(b) != leafPage { // one page has space for its only key
			im.damaged(lostBranch, "page %d, which leads to the records, is not a leaf", im.meta.root)
		}
		for _, e := range im.elements(b) {
			if e.flags == bucketFlag && string(e.key) == string(recordsBucket) && len(e.value) >= bucketLength {
				root, inline = machine.Uint64(e.value), e.value[bucketLength:]
			}
		}
	}
	switch {
	case root != 0:
		im.tree(root, 0)
	case len(inline) >= headerLength && kindOf(inline) == leafPage:
		im.leaf(inline, 0)
	default:
		im.damaged(lostBranch, "page %d does not lead to the records", im.meta.root)
	}
}

// tree reads the records of a page and those below it. Their numbers are at least least.
func (im *image) tree(id, least uint64) {
	b := im.page(id)
	switch {
	case b == nil:
	case kindOf(b) == branchPage:
		im.branch(b, least)
	default:
		if kindOf(b) != leafPage {
			im.damaged(lostBranch, "page %d is neither a branch nor a leaf", id)
		}
		im.leaf(b, least)
	}
}

// branch reads the records below a branch.
func (im *image) branch(b []byte, least uint64) {
	type child struct{ least, page uint64 }
	var children []child
	before := im.damage
	for _, e := range im.elements(b) {
		if len(e.key) != 8 {
			im.damaged(lostBranch, "a branch has a key of %d octets", len(e.key))
			continue
		}
		children = append(children, child{binary.BigEndian.Uint64(e.key), e.page})
	}
	if im.damage != before {
		im.leaf(b, 0) // if that is what it was
	}
	for _, c := range children {
		if c.least < least || im.any && c.least <= im.previous {
			im.damaged(lostBranch, "the keys of a branch are not in order")
		}
		im.tree(c.page, c.least)
	}
}

// leaf reads the records of a leaf.
func (im *image) leaf(b []byte, least uint64) {
	for _, e := range im.elements(b) {
		if len(e.key) != 8 || e.flags != 0 {
			im.damaged(lostBranch, "a leaf has a key of %d octets with flags %#x", len(e.key), e.flags)
			continue
		}
		seq := binary.BigEndian.Uint64(e.key)
		if seq < least || im.any && seq <= im.previous {
			im.damaged(lostBranch, "record %d is not in order", seq)
		}
		im.previous, im.highest, im.any = seq, max(im.highest, seq), true
		if im.found != nil {
			im.found(seq, e.value, true)
		}
	}
}

// readFree reads the list of free pages.
func (im *image) readFree() {
	b := im.page(im.meta.freelist)
	if b == nil || kindOf(b) != freePage {
		im.damaged(lostNothing, "page %d does not list the free pages", im.meta.freelist)
		return
	}
	count, list := uint64(machine.Uint16(b[10:])), b[headerLength:]
	if count == 1<<16-1 && len(list) >= 8 { // as many or more: their number comes first
		count, list = machine.Uint64(list), list[8:]
	}
	if count > uint64(len(list)/8) {
		im.damaged(lostNothing, "the list of free pages is cut off")
		return
	}
	last := uint64(1)
	for ; count > 0; count, list = count-1, list[8:] {
		id := machine.Uint64(list)
		if id <= last || id >= im.meta.pages || id < im.whole && im.seen[id] {
			im.damaged(lostBranch, "page %d is listed as free, which it cannot be", id)
			continue
		}
		last = id
		if id < im.whole {
			im.free[id] = true
		}
	}
}

// readLost reads the records of pages that the tree should have led to, and others again: it may
// be another page that is damaged.
func (im *image) readLost() {
	if im.lost == lostNothing {
		return
	}
	above := uint64(0)
	if im.lost == lostCommit {
		above = im.highest
	}
	for id := uint64(2); id < im.whole; id++ {
		if im.lost == lostBranch && im.free[id] {
			continue
		}
		b := im.readPage(id)
		if b == nil || machine.Uint64(b) != id || kindOf(b) != leafPage {
			continue
		}
		for _, e := range im.elements(b) {
			if len(e.key) == 8 && e.flags == 0 && binary.BigEndian.Uint64(e.key) > above {
				im.found(binary.BigEndian.Uint64(e.key), e.value, false)
			}
		}
	}
}
