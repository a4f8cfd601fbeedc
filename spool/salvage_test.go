package spool

import (
	"bytes"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"radsec-gw/wire"
)

// memoryStore is a store in memory, for what is salvaged.
type memoryStore map[uint64][]byte

func (m memoryStore) each(uint64, func(uint64, []byte) bool) error { return nil }
func (m memoryStore) get([]uint64, func(uint64, []byte)) error     { return nil }
func (m memoryStore) close() error                                 { return nil }

func (m memoryStore) commit(add []addition, remove []uint64) error {
	for _, a := range add {
		m[a.seq] = a.value
	}
	for _, seq := range remove {
		delete(m, seq)
	}
	return nil
}

// pageSize is the size of a database's pages.
var pageSize = os.Getpagesize()

var quiet = slog.New(slog.DiscardHandler)

// sampleRecord returns an encoded record whose packet has at least as many octets.
func sampleRecord(number, octets int) []byte {
	packet := []byte{4, 0, 0, 0}
	packet = append(packet, make([]byte, 16)...)
	packet = append(packet, 44, 10)
	packet = fmt.Appendf(packet, "%08d", number)
	for len(packet) < octets && len(packet)+255 <= wire.MaxLength {
		packet = append(append(packet, 25, 255), bytes.Repeat([]byte{byte(number)}, 253)...)
	}
	packet[2], packet[3] = byte(len(packet)>>8), byte(len(packet))
	return (&Record{Arrived: time.Unix(int64(number), 0), Client: "campus", Packet: packet, at: int64(number)}).appendTo(nil)
}

// database makes a database with records of all lengths, of which some were removed, and returns
// its directory and the records, all that ever were included.
func database(t testing.TB, records int, seed uint64) (directory string, have, all memoryStore) {
	t.Helper()
	directory = t.TempDir()
	st, err := openFileStore(directory, quiet)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(seed, 1))
	have, all = memoryStore{}, memoryStore{}
	for n := 1; n <= records; {
		var add []addition
		for range 1 + r.IntN(20) {
			octets := r.IntN(600)
			if r.IntN(20) == 0 {
				octets = 3900
			}
			add = append(add, addition{uint64(n), sampleRecord(n, octets)})
			n++
		}
		var remove []uint64
		for _, seq := range slices.Sorted(maps.Keys(have)) {
			if r.IntN(10) == 0 {
				remove = append(remove, seq)
			}
		}
		if err := st.commit(add, remove); err != nil {
			t.Fatal(err)
		}
		have.commit(add, remove)
		all.commit(add, nil)
	}
	if err := st.close(); err != nil {
		t.Fatal(err)
	}
	return directory, have, all
}

// anySeed returns a seed, which is printed if the test fails.
func anySeed(t testing.TB) uint64 {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return seed
}

// contents returns what a store has.
func contents(t testing.TB, st store) memoryStore {
	t.Helper()
	m := memoryStore{}
	err := st.each(0, func(seq uint64, value []byte) bool {
		m[seq] = bytes.Clone(value)
		return true
	})
	if err != nil {
		t.Errorf("expected that the store can be read, got %v", err)
	}
	return m
}

// No database that package bbolt has written is taken for a damaged one: empty, with its records
// in one page or many, with free pages, with records that are longer than a page.
//
// Rules: SP9
func TestSoundDatabases(t *testing.T) {
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 2))
		path := filepath.Join(t.TempDir(), databaseName)
		s, err := openBolt(path)
		if err != nil {
			t.Fatal(err)
		}
		have, next := memoryStore{}, 1
		for step := range 40 {
			var add []addition
			for range r.IntN(1 << r.IntN(9)) {
				add = append(add, addition{uint64(next), sampleRecord(next, r.IntN(1<<(4+r.IntN(9))))})
				next++
			}
			var remove []uint64
			for _, seq := range slices.Sorted(maps.Keys(have)) {
				if r.IntN(3) == 0 || step%13 == 12 {
					remove = append(remove, seq)
				}
			}
			if err := s.commit(add, remove); err != nil {
				t.Fatal(err)
			}
			have.commit(add, remove)
			if damage, err := checkDatabase(path); damage != nil || err != nil {
				t.Fatalf("seed %d, step %d: expected no damage, got %v, %v", seed, step, damage, err)
			}
			got := memoryStore{}
			if _, err := salvage(path, got); err != nil || !maps.EqualFunc(got, have, bytes.Equal) {
				t.Fatalf("seed %d, step %d: expected that all %d records can be read, got %d, %v", seed, step, len(have), len(got), err)
			}
		}
		s.close()
	}
}

// usedPart returns the octets of a database up to the last page that is used.
func usedPart(t testing.TB, directory string) []byte {
	t.Helper()
	path := filepath.Join(directory, databaseName)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	im, err := openImage(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer im.f.Close()
	return text[:int64(im.meta.pages)*im.pageSize]
}

// withoutFreePages returns usedPart with zeros in the pages that are free: they have old copies of
// records.
func withoutFreePages(t testing.TB, directory string) []byte {
	t.Helper()
	text := usedPart(t, directory)
	im, err := openImage(filepath.Join(directory, databaseName), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer im.f.Close()
	im.read()
	for id, free := range im.free {
		if free {
			clear(text[id*pageSize : (id+1)*pageSize])
		}
	}
	return text
}

// cutOff returns a directory with the first octets of a database.
func cutOff(t *testing.T, text []byte) string {
	t.Helper()
	directory := t.TempDir()
	if err := os.WriteFile(filepath.Join(directory, databaseName), text, 0o600); err != nil {
		t.Fatal(err)
	}
	return directory
}

// A database that is cut off anywhere is opened with all records that are before the cut, and
// kept under another name.
//
// Rules: SP9
func TestDatabaseThatIsCutOff(t *testing.T) {
	from, have, all := database(t, 100, anySeed(t))
	text := usedPart(t, from)
	inUse := withoutFreePages(t, from)
	var cuts []int
	for at := pageSize; at < len(text); at += pageSize {
		cuts = append(cuts, at, at-at/100)
	}
	for _, cut := range cuts {
		directory := cutOff(t, text[:cut])
		st, err := openFileStore(directory, quiet)
		if err != nil {
			t.Fatalf("cut off at %d: expected that it opens, got %v", cut, err)
		}
		got := contents(t, st)
		for seq, value := range have {
			if bytes.Contains(inUse[:cut/pageSize*pageSize], value) && !bytes.Equal(got[seq], value) {
				t.Errorf("cut off at %d: expected record %d, which is before the cut", cut, seq)
			}
		}
		for seq, value := range got {
			if !bytes.Equal(all[seq], value) {
				t.Errorf("cut off at %d: expected of record %d what was stored, got % x", cut, seq, value[:min(len(value), 20)])
			}
		}
		if err := st.commit([]addition{{1 << 40, sampleRecord(1, 0)}}, nil); err != nil {
			t.Errorf("cut off at %d: expected that the new database can be written, got %v", cut, err)
		}
		st.close()
		if kept, err := os.ReadFile(filepath.Join(directory, databaseName+".damaged-1")); err != nil || !bytes.Equal(kept, text[:cut]) {
			t.Errorf("cut off at %d: expected that the old database is kept, got %d octets, %v", cut, len(kept), err)
		}
	}
}

// structure returns the offsets of a database's octets that are not keys or values.
func structure(text []byte) (list []int) {
	for page := 0; page < len(text); page += pageSize {
		n := headerLength + int(machine.Uint16(text[page+10:]))*elementLength
		if page < 2*pageSize {
			n = headerLength + metaLength
		}
		for i := range min(n, pageSize) {
			list = append(list, page+i)
		}
	}
	return list
}

// One octet that is wrong costs one record at most, wherever it is.
//
// Rules: SP9
func TestDatabaseWithAWrongOctet(t *testing.T) {
	from, have, all := database(t, 40, anySeed(t))
	text := usedPart(t, from)
	offsets := structure(text)
	for i := 0; i < len(text); i += 101 {
		offsets = append(offsets, i)
	}
	r := rand.New(rand.NewPCG(anySeed(t), 5))
	r.Shuffle(len(offsets), func(i, j int) { offsets[i], offsets[j] = offsets[j], offsets[i] })
	path := filepath.Join(t.TempDir(), databaseName)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.Write(text)
	for _, at := range offsets[:1000] {
		change := []byte{1 << r.IntN(8), 0xff, byte(1 + r.IntN(255))}[r.IntN(3)]
		f.WriteAt([]byte{text[at] ^ change}, int64(at))
		got := memoryStore{}
		if _, err := salvage(path, got); err != nil {
			t.Fatalf("octet %d: expected no error, got %v", at, err)
		}
		back := wrongIn(t, fmt.Sprintf("octet %d (page %d, %d) ^ %#x", at, at/pageSize, at%pageSize, change), got, have, all)
		if damage, err := checkDatabase(path); err != nil {
			t.Fatal(err)
		} else if damage == nil && back > 0 {
			t.Errorf("octet %d: expected that the damage is found which brings %d removed records back", at, back)
		}
		f.WriteAt(text[at:at+1], int64(at))
	}
}

// wrongIn compares what was salvaged with what was there, and returns how many records are back
// that were removed. At most one may be lost, and nothing be there that never was, but the
// number of a record may be another.
func wrongIn(t *testing.T, when string, got, have, all memoryStore) (back int) {
	t.Helper()
	ever, now := map[string]bool{}, map[string]bool{}
	for _, value := range all {
		ever[string(value)] = true
	}
	for _, value := range have {
		now[string(value)] = true
	}
	for seq, value := range got {
		text := string(value)
		switch {
		case now[text]:
			delete(now, text)
		case ever[text]:
			back++
		default:
			if _, err := decodeRecord(value); err == nil {
				t.Errorf("%s: expected nothing that never was, got record %d: % x", when, seq, value[:min(len(value), 20)])
			}
		}
	}
	if lost := len(now); lost > 1 {
		t.Errorf("%s: expected that at most 1 record is lost, got %d", when, lost)
	}
	return back
}

// The page that leads to the records is checked for what package bbolt expects of it, too.
//
// Rules: SP9
func TestRootOfAWrongKind(t *testing.T) {
	from, have, all := database(t, 40, anySeed(t))
	im, err := openImage(filepath.Join(from, databaseName), nil)
	if err != nil {
		t.Fatal(err)
	}
	im.f.Close()
	text := usedPart(t, from)
	at := int64(im.meta.root)*im.pageSize + 8
	for _, change := range []byte{0x41, branchPage | leafPage, leafPage} {
		changed := bytes.Clone(text)
		changed[at] ^= change
		st, err := openFileStore(cutOff(t, changed), quiet)
		if err != nil {
			t.Fatalf("kind %#x: expected that it opens, got %v", changed[at], err)
		}
		wrongIn(t, fmt.Sprintf("kind %#x", changed[at]), contents(t, st), have, all)
		st.close()
	}
}

// With a wrong octet anywhere, the spool's own store opens, can be read and written.
//
// Rules: SP9
func TestOpenWithAWrongOctet(t *testing.T) {
	from, have, all := database(t, 40, anySeed(t))
	text := usedPart(t, from)
	offsets := structure(text)
	for i := 0; i < len(offsets); i += 1 + len(offsets)/40 {
		at := offsets[i]
		changed := bytes.Clone(text)
		changed[at] ^= 0x41
		st, err := openFileStore(cutOff(t, changed), quiet)
		if err != nil {
			t.Fatalf("octet %d: expected that it opens, got %v", at, err)
		}
		wrongIn(t, fmt.Sprintf("octet %d", at), contents(t, st), have, all)
		if err := st.commit([]addition{{1000, sampleRecord(1, 300)}}, []uint64{2, 20}); err != nil {
			t.Errorf("octet %d: expected that it can be written, got %v", at, err)
		}
		st.close()
	}
}
