package spool

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// twin is a plain list that anybody trusts. A record is ready if no earlier one of its session
// is left. An Accounting-On or -Off has a queue of its NAS, which every record joins that arrives
// while anything is in it: of those one is ready at a time, when nothing earlier of the NAS is
// left.
type twin struct{ list []twinItem }

type twinItem struct {
	h            handle
	nas, session uint64
	stored       bool
	live         bool // a live request: it has no handle
	joined       bool // the queue of its NAS
	id           int
}

// blocked reports whether an earlier entry of the list must be gone before entry i.
func (t *twin) blocked(i int) bool {
	it := t.list[i]
	for _, p := range t.list[:i] {
		if p.nas == it.nas && (it.joined || p.session == it.session) {
			return true
		}
	}
	return false
}

func (t *twin) ready() (list []handle) {
	for i, it := range t.list {
		if !it.live && it.stored && !t.blocked(i) {
			list = append(list, it.h)
		}
	}
	slices.Sort(list)
	return list
}

func readyOf(x *index) (list []handle) {
	for _, l := range x.lanes {
		for _, sh := range l.ready {
			list = append(list, x.sessions.at(sh).first)
		}
	}
	slices.Sort(list)
	return list
}

// Records arrive, become durable, and are delivered in random order, some as live requests:
// what can be sent is at each step what the plain list says.
//
// Rules: SP5
func TestIndexLikeAPlainList(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		x, tw := newIndex(), &twin{}
		lives := map[int]handle{}
		lane := x.laneFor("a")
		for step := range 400 {
			switch op := r.IntN(10); {
			case op < 4: // a record arrives, live if it may be
				if live := arrive(t, r, x, tw, step); live != 0 {
					lives[step] = live
				}
			case op < 7: // one becomes durable
				if i := r.IntN(len(tw.list) + 1); i < len(tw.list) && !tw.list[i].live && !tw.list[i].stored {
					tw.list[i].stored = true
					x.stored(tw.list[i].h)
				}
			case op < 8: // a live request ends
				for i, it := range tw.list {
					if it.live && r.IntN(2) == 0 {
						x.end(lives[it.id])
						tw.list = slices.Delete(tw.list, i, i+1)
						break
					}
				}
			default: // a record is delivered
				l := x.lanes[lane]
				if h := l.next(x); h != 0 {
					l.inFlight--
					i := slices.IndexFunc(tw.list, func(it twinItem) bool { return it.h == h && !it.live })
					x.remove(h)
					tw.list = slices.Delete(tw.list, i, i+1)
				}
			}
			if got, want := readyOf(x), tw.ready(); !slices.Equal(got, want) {
				t.Fatalf("seed %d, step %d: expected the records %v to be ready, got %v", seed, step, want, got)
			}
		}
		drain(t, x, tw, lives)
	}
}

// arrive adds a record to both, or begins a live request, which it returns.
func arrive(t *testing.T, r *rand.Rand, x *index, tw *twin, step int) handle {
	t.Helper()
	nas := uint64(1 + r.IntN(3))
	m := Marks{nas: nas, session: nas*100 + uint64(r.IntN(3)), content: uint64(1000 + step), rank: rankInterim}
	if r.IntN(8) == 0 {
		m.rank = rankWhole
	}
	it := twinItem{nas: nas, session: m.session, id: step}
	it.joined = m.rank == rankWhole || slices.ContainsFunc(tw.list, func(p twinItem) bool { return p.nas == nas && p.joined })
	tw.list = append(tw.list, it)
	last := len(tw.list) - 1
	if r.IntN(2) == 0 {
		live, ok := x.begin(&m)
		if want := !tw.blocked(last); ok != want {
			t.Fatalf("step %d: expected that a live request may begin: %t, got %t", step, want, ok)
		}
		if ok {
			tw.list[last].live = true
			return live
		}
	}
	h := x.add(&m, int64(step)*int64(time.Second), x.laneFor("a"), 100)
	x.items.at(h).seq = uint64(step + 1)
	tw.list[last].h = h
	return 0
}

// drain ends everything, and expects that nothing is left.
func drain(t *testing.T, x *index, tw *twin, lives map[int]handle) {
	t.Helper()
	for _, it := range tw.list {
		if it.live {
			x.end(lives[it.id])
		} else {
			x.remove(it.h)
		}
	}
	if got := fmt.Sprint(x.count, x.octets, len(x.byContent), len(x.bySession), len(x.byNAS), len(readyOf(x))); got != "0 0 0 0 0 0" {
		t.Fatalf("expected that nothing is left, got records, octets, contents, sessions, NASes, ready: %s", got)
	}
	if free := len(x.items.free); free != int(x.items.used) {
		t.Fatalf("expected %d free items, got %d", x.items.used, free)
	}
	if free := len(x.sessions.free); free != int(x.sessions.used) {
		t.Fatalf("expected %d free sessions, got %d", x.sessions.used, free)
	}
	if free := len(x.nases.free); free != int(x.nases.used) {
		t.Fatalf("expected %d free NASes, got %d", x.nases.used, free)
	}
}

// order adds records to one session and returns the order in which they would be sent.
func order(marks []Marks, at []time.Duration) (got []int) {
	x := newIndex()
	lane := x.laneFor("")
	for i := range marks {
		marks[i].nas, marks[i].session, marks[i].content = 1, 2, uint64(i+1)
		h := x.add(&marks[i], int64(at[i]), lane, 1)
		x.items.at(h).seq = uint64(i + 1)
		x.stored(h)
	}
	for h := x.lanes[lane].next(x); h != 0; h = x.lanes[lane].next(x) {
		got = append(got, int(x.items.at(h).content)-1)
		x.remove(h)
	}
	return got
}

// Rules: SP5
func TestOrderInASession(t *testing.T) {
	start, interim, stop := Marks{rank: rankStart}, Marks{rank: rankInterim}, Marks{rank: rankStop}
	late := func(m Marks, seconds int) Marks { m.delay = time.Duration(seconds) * time.Second; return m }
	const s = time.Second
	for _, c := range []struct {
		name  string
		marks []Marks
		at    []time.Duration
		want  []int
	}{
		{"as they arrived", []Marks{start, interim, stop}, []time.Duration{0, 1 * s, 2 * s}, []int{0, 1, 2}},
		{"a Start that waited for a server goes before what arrived after it", []Marks{interim, stop, start}, []time.Duration{2 * s, 3 * s, 1 * s}, []int{2, 0, 1}},
		{"an Interim-Update that waited goes before a later one", []Marks{interim, interim}, []time.Duration{2 * s, 1 * s}, []int{1, 0}},
		{"a Start that the NAS has sent again goes by when it happened", []Marks{stop, late(start, 10)}, []time.Duration{9 * s, 12 * s}, []int{1, 0}},
		{"whole seconds of delay do not put a Stop before its Start", []Marks{late(stop, 0), late(start, 2)}, []time.Duration{1500 * time.Millisecond, 4 * s}, []int{1, 0}},
		{"nor do they put it there when it comes later", []Marks{start, late(stop, 2)}, []time.Duration{1 * s, 2500 * time.Millisecond}, []int{0, 1}},
		{"two seconds are not an inaccuracy", []Marks{start, late(stop, 4)}, []time.Duration{3 * s, 5 * s}, []int{1, 0}},
		{"a delay of the same record type is one of whole seconds", []Marks{interim, late(interim, 2)}, []time.Duration{1 * s, 2500 * time.Millisecond}, []int{1, 0}},
		{"the next session with the same Acct-Session-Id comes after the Stop", []Marks{stop, start}, []time.Duration{1 * s, 1*s + 1}, []int{0, 1}},
	} {
		if got := order(c.marks, c.at); !slices.Equal(got, c.want) {
			t.Errorf("%s: expected %v, got %v", c.name, c.want, got)
		}
	}
}

// The oldest record of all sessions is sent first.
//
// Rules: SP5
func TestOldestFirst(t *testing.T) {
	x := newIndex()
	lane := x.laneFor("")
	at := rand.Perm(500)
	for i, a := range at {
		m := Marks{nas: 1, session: uint64(i + 10), content: uint64(i + 1)}
		h := x.add(&m, int64(a), lane, 1)
		x.items.at(h).seq = uint64(i + 1)
		x.stored(h)
	}
	last := int64(-1)
	for h := x.lanes[lane].next(x); h != 0; h = x.lanes[lane].next(x) {
		if o := x.items.at(h).order; o < last {
			t.Fatalf("expected an age after %d, got %d", last, o)
		} else {
			last = o
		}
	}
	if last != 499 {
		t.Fatalf("expected all records, the last of age 499, got %d", last)
	}
}

// Rules: SP8
func TestReplacedInterims(t *testing.T) {
	x := newIndex()
	lane := x.laneFor("")
	add := func(session uint64, k rank, seq uint64, stored bool) handle {
		m := Marks{nas: 1, session: session, content: seq, rank: k}
		h := x.add(&m, int64(seq), lane, 1)
		x.items.at(h).seq = seq
		if stored {
			x.stored(h)
		}
		return h
	}
	add(1, rankStart, 1, true)
	first := add(1, rankInterim, 2, true)
	add(2, rankInterim, 3, true)
	second := add(1, rankInterim, 4, true)
	held := add(1, rankInterim, 5, true)
	x.items.at(held).held = true
	add(1, rankInterim, 6, false)
	stop := add(1, rankStop, 7, false)
	if got, want := x.replacedBy(stop), []handle{second, first}; !slices.Equal(got, want) {
		t.Errorf("expected the Interim-Updates %v that are stored, neither the Start nor those that are held or not stored yet, got %v", want, got)
	}
}

// A client that names longer and longer delays cannot have each record go before all others of
// its session: that would take long with many.
//
// Rules: SP5
func TestARecordGoesBeforeSoManyOthers(t *testing.T) {
	const records = mostSteps + 10
	marks, at := make([]Marks, records), make([]time.Duration, records)
	for i := range marks {
		at[i] = -time.Duration(i) * time.Minute
	}
	got := order(marks, at)
	if first := got[0]; first != mostSteps {
		t.Errorf("expected record %d first, which went before %d others, got %d", mostSteps, mostSteps, first)
	}
	if place := slices.Index(got, records-1); place != records-1-mostSteps {
		t.Errorf("expected the last record to go before %d others, got %d", mostSteps, records-1-place)
	}
}

// Records with one hash are all found by their numbers, whichever of them is removed first.
//
// Rules: SP7
func TestRecordsWithOneHash(t *testing.T) {
	for _, removals := range [][]uint64{{1, 2, 3}, {3, 2, 1}, {2, 1, 3}, {2, 3, 1}} {
		x := newIndex()
		for seq := range uint64(3) {
			m := Marks{nas: 1, session: 10 + seq, content: 7}
			x.items.at(x.add(&m, 0, x.laneFor(""), 1)).seq = seq + 1
		}
		left := []uint64{3, 2, 1}
		for _, seq := range removals {
			if got := x.copies(nil, 7); !slices.Equal(got, left) {
				t.Errorf("removing %v: expected the records %v, got %v", removals, left, got)
			}
			x.remove(x.find(7, seq))
			left = slices.DeleteFunc(left, func(n uint64) bool { return n == seq })
			if h := x.find(7, seq); h != 0 {
				t.Errorf("removing %v: expected that record %d is not found, got %d", removals, seq, h)
			}
		}
		if len(x.byContent) != 0 {
			t.Errorf("removing %v: expected that no hash is left", removals)
		}
	}
}

// Copies of one request may be on their way at the same time, and nothing else of the session
// with them. A request that may not begin leaves nothing behind.
//
// Rules: SP5, SP7
func TestCopiesMayBeLive(t *testing.T) {
	x := newIndex()
	request, other := Marks{nas: 1, session: 10, content: 7}, Marks{nas: 1, session: 10, content: 8}
	whole := Marks{nas: 1, session: 11, content: 9, rank: rankWhole}
	first, ok1 := x.begin(&request)
	second, ok2 := x.begin(&request)
	if !ok1 || !ok2 {
		t.Errorf("expected that both copies may begin, got %t, %t", ok1, ok2)
	}
	for name, m := range map[string]*Marks{"another request of the session": &other, "an Accounting-On": &whole} {
		if _, ok := x.begin(m); ok {
			t.Errorf("expected that %s may not begin", name)
		}
	}
	x.end(first)
	if _, ok := x.begin(&other); ok {
		t.Error("expected that another request may not begin while one copy is on its way")
	}
	x.end(second)
	drain(t, x, &twin{}, nil)
}

// A record that was ready is not any longer when one that is not stored yet goes before it.
//
// Rules: SP2, SP5
func TestARecordThatGoesBeforeAReadyOne(t *testing.T) {
	x := newIndex()
	lane := x.laneFor("")
	later := Marks{nas: 1, session: 10, content: 7}
	h := x.add(&later, int64(time.Minute), lane, 1)
	x.stored(h)
	if got := readyOf(x); !slices.Equal(got, []handle{h}) {
		t.Errorf("expected that the record is ready, got %v", got)
	}
	earlier := Marks{nas: 1, session: 10, content: 8}
	before := x.add(&earlier, 0, lane, 1)
	if got := readyOf(x); len(got) != 0 {
		t.Errorf("expected that nothing is ready before the earlier record is stored, got %v", got)
	}
	x.stored(before)
	if got := readyOf(x); !slices.Equal(got, []handle{before}) {
		t.Errorf("expected that the earlier record is ready, got %v", got)
	}
}
