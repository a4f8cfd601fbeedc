package spool

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// Sessions wait as long as they are to, whatever happens to others; one that waits for others is
// taken when there are none, the one that has waited longest first. While the servers are silent
// only others count.
//
// Rules: SP5
func TestDelays(t *testing.T) {
	r := rand.New(rand.NewPCG(anySeed(t), 2))
	x := newIndex()
	l := x.lanes[x.laneFor("")]
	type waiting struct {
		h     handle
		until int64
		w     waits
	}
	var list []waiting // a plain list that anybody trusts
	for i := range 500 {
		m := Marks{nas: 1, session: uint64(i + 10), content: uint64(i + 1)}
		h := x.add(&m, int64(i), 0, 1)
		x.items.at(h).seq = uint64(i + 1)
		x.stored(h)
	}
	for h := l.next(x); h != 0; h = l.next(x) {
		w := waiting{h, r.Int64N(1000) + 1, []waits{waitsForTime, waitsForOthers}[r.IntN(2)]}
		x.items.at(h).state = itemStored
		l.inFlight--
		list = append(list, w)
	}
	for _, w := range list {
		l.delay(x, x.items.at(w.h).session, w.w, w.until)
	}
	for i := range 200 { // some are removed while they wait
		i = r.IntN(len(list) - i)
		x.remove(list[i].h)
		list = slices.Delete(list, i, i+1)
	}
	for now := int64(0); now <= 600; now += 50 {
		l.pause = []int64{0, 1}[r.IntN(2)]
		next := l.wake(x, now)
		var want []handle
		wantNext := int64(0)
		for _, w := range list {
			switch {
			case w.w == waitsForOthers && l.pause > 0:
			case w.until <= now:
				want = append(want, w.h)
			case wantNext == 0 || w.until < wantNext:
				wantNext = w.until
			}
		}
		list = slices.DeleteFunc(list, func(w waiting) bool { return slices.Contains(want, w.h) })
		slices.Sort(want)
		if got := readyOf(x); !slices.Equal(got, want) || next != wantNext {
			t.Fatalf("at %d: expected that %d sessions are ready, and the next at %d, got %d and %d", now, len(want), wantNext, len(got), next)
		}
		for range want {
			x.remove(l.next(x))
		}
	}
	othersInTurn(t, x, l)
}

// othersInTurn expects that what waits for others is taken in the order of its delays, and
// what waits for a time when the lane begins anew.
func othersInTurn(t *testing.T, x *index, l *lane) {
	t.Helper()
	last := int64(0)
	for len(l.silent) > 0 {
		until := x.sessions.at(l.silent[0]).notBefore
		h := l.next(x)
		if until < last || h == 0 {
			t.Fatalf("expected the sessions in the order of their delays, got %d after %d", until, last)
		}
		last = until
		x.remove(h)
	}
	if h := l.next(x); h != 0 || len(l.delayed) == 0 {
		t.Errorf("expected that the others wait for their time, got record %d, and %d that wait", h, len(l.delayed))
	}
	l.begin(x)
	if len(l.delayed) != 0 || len(readyOf(x)) == 0 {
		t.Errorf("expected that all are ready, got %d that wait", len(l.delayed))
	}
}
