package health

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// happened is one line of a twin's diary.
type happened struct {
	what string
	at   time.Duration
	sent time.Duration // when what was lost was sent
}

// twin keeps a diary of all that happened to a port, and reads what it is to be
// believed from there. It is slow, and follows the package documentation sentence by
// sentence.
type twin struct {
	c         Config
	state     State
	noAddress bool
	unchecked bool // checks count no more, though there are some
	diary     []happened
}

func (w *twin) note(what string, at, sent time.Duration) {
	w.diary = append(w.diary, happened{what, at, sent})
}

// since returns the part of the diary after the last of the given happenings.
func (w *twin) since(what ...string) []happened {
	for i := len(w.diary) - 1; i >= 0; i-- {
		if slices.Contains(what, w.diary[i].what) {
			return w.diary[i+1:]
		}
	}
	return w.diary
}

func count(part []happened, what ...string) (n int) {
	for _, h := range part {
		if slices.Contains(what, h.what) {
			n++
		}
	}
	return n
}

// last returns when the last of the given things happened at the present address.
func (w *twin) last(what ...string) (at time.Duration) {
	for _, h := range w.since("renew") {
		if slices.Contains(what, h.what) {
			at = h.at
		}
	}
	return at
}

func (w *twin) checked() bool { return w.c.Check != CheckNone && !w.unchecked }
func (w *twin) silent() int   { return count(w.since("answered", "check answered", "renew"), "silent") }
func (w *twin) unanswered() int {
	return count(w.since("answered", "renew", "died", "came alive"), "overdue")
}

func (w *twin) become(s State) {
	if s != w.state {
		w.state = s
		w.note("changed", 0, 0)
		if s == Down {
			w.note("died", 0, 0)
		}
	}
}

// reply is a verified reply to a request or a check.
func (w *twin) reply(what string, at time.Duration) {
	w.note(what, at, 0)
	if what == "check answered" {
		w.unchecked = false
	}
	failing := what == "check answered" && w.unanswered() >= w.c.FailingAfter
	back := map[bool]State{true: Failing, false: Up}[failing]
	counted := func() int { return count(w.since("changed", "count anew"), "answered", "check answered") }
	switch w.state {
	case Up:
		if failing {
			w.become(Failing)
		}
	case Suspect:
		w.become(back)
	case Failing:
		if count(w.since("changed", "unanswered while failing"), "answered") >= 3 {
			w.become(Up)
		}
	case Down:
		if w.noAddress {
			w.note("count anew", 0, 0)
			return
		}
		if counted() == 1 {
			w.note("came alive", at, 0)
			back = Up
		}
		if counted() >= w.c.UpAfter {
			w.become(back)
		}
	}
}

func (w *twin) silence(at, sent time.Duration) {
	if w.last("answered", "check answered") >= sent {
		return
	}
	w.note("silent", at, 0)
	if w.state == Up && w.silent() >= w.c.SuspectAfter {
		w.suspect()
	}
}

func (w *twin) suspect() {
	if w.state != Up {
		return
	}
	w.note("suspicion", 0, 0)
	if w.checked() {
		w.become(Suspect)
	} else {
		w.become(Down)
	}
}

func (w *twin) overdue(at, sent time.Duration) {
	if w.last("answered") >= sent || w.last("came alive") > sent {
		return
	}
	w.note("overdue", at, 0)
	switch {
	case w.state == Failing:
		w.note("unanswered while failing", 0, 0)
	case w.state != Down && w.checked() && w.unanswered() >= w.c.FailingAfter:
		w.become(Failing)
	}
}

// lost is a check, sent at sent, that was lost.
func (w *twin) lost(at, sent time.Duration) {
	if !w.checked() {
		return
	}
	w.note("lost", at, sent)
	earlier := w.since("renew", "another check")
	answersChecks := count(earlier, "check answered") > 0
	first, before := time.Duration(-1), time.Duration(0)
	for _, h := range w.since("renew", "another check", "check answered") {
		if h.what == "lost" {
			if first < 0 {
				first = h.sent
			}
		}
	}
	for _, h := range earlier[:len(earlier)-1] {
		if h.what == "lost" {
			before = h.sent
		}
	}
	if answered := w.last("answered"); !answersChecks && answered != 0 && (answered >= first || w.silent() == 0 && w.state == Up) {
		if w.missed() >= w.c.DownAfter {
			w.unchecked = true
			w.decideOnSilence()
		}
		return
	}
	if w.state == Down && w.last("answered") <= before {
		w.note("count anew", 0, 0)
	}
	if w.last("answered", "check answered") > before { // the earlier ones are explained
		w.diary = slices.Insert(w.diary, slices.IndexFunc(w.diary, func(h happened) bool { return h == (happened{"lost", at, sent}) }), happened{what: "explained"})
	}
	switch {
	case w.state == Up && w.last("answered", "check answered") > sent:
		w.note("explained", 0, 0)
	case w.state == Up && w.silent() == 0 && w.missed() == 1:
	case w.state == Up:
		w.become(Suspect)
	case w.missed() >= w.c.DownAfter:
		w.become(Down)
	}
}

// missed is how many checks were lost in a row.
func (w *twin) missed() int {
	return count(w.since("check answered", "renew", "another check", "suspicion", "explained", "reply while not up"), "lost")
}

func (w *twin) decideOnSilence() {
	switch {
	case w.state == Failing || w.noAddress:
	case w.silent() >= w.c.SuspectAfter:
		w.become(Down)
	default:
		w.become(Up)
	}
}

func (w *twin) check(c Check) {
	if c == w.c.Check {
		return
	}
	w.c.Check, w.unchecked = c, false
	w.note("another check", 0, 0)
	if c == CheckNone && w.state == Suspect {
		w.decideOnSilence()
	}
}

// A port and its twin see the same, and believe the same.
func TestRandom(t *testing.T) {
	for range 60 {
		seed := rand.Uint64()
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { random(t, rand.New(rand.NewPCG(seed, 0))) })
		})
	}
}

func random(t *testing.T, rnd *rand.Rand) {
	c := Config{Check: Check(rnd.IntN(3)), SuspectAfter: 1 + rnd.IntN(4), FailingAfter: 1 + rnd.IntN(4), DownAfter: 1 + rnd.IntN(4), UpAfter: 1 + rnd.IntN(4)}.WithDefaults()
	h := &history{t: t, rnd: rnd, b: newBed(t, c), w: &twin{c: c}}
	h.b.set("holds")
	bag := events(rnd)
	for range 400 {
		pass(time.Millisecond)
		h.look()
		what := bag[rnd.IntN(len(bag))]
		switch {
		case h.w.noAddress && rnd.IntN(4) == 0:
			what = "renew"
		case (what == "no address" || what == "renew") && rnd.IntN(4) != 0:
			what = "silent" // changes of the address are rare, lest a history never grows long
		}
		h.story = append(h.story, what)
		h.happen(what)
		synctest.Wait()
		if got := h.b.p.State(); got != h.w.state || h.b.p.HasChecks() != h.w.checked() {
			t.Fatalf("the port is %v and checked %v, its twin %v and %v, after %v\n%+v", got, h.b.p.HasChecks(), h.w.state, h.w.checked(), h.story, h.w.c)
		}
	}
	h.b.p.Stop()
	for _, tr := range h.b.told {
		if tr.From == tr.To && !tr.NoStatusServer && !(tr.Alive && tr.To == Down) {
			t.Fatalf("%+v was reported, and nothing changed", tr)
		}
	}
	checkChain(t, h.b.told, h.b.p.State())
}

// events returns what may happen, each as often as it is likely.
func events(rnd *rand.Rand) (bag []string) {
	weights := map[string]int{"wait": 4, "long wait": 1, "answered": 2, "silent": 5, "overdue": 4, "check answered": 3, "lost": 6, "not sent": 2, "refused": 1, "no address": 1, "renew": 1, "check": 1}
	favoured := rnd.IntN(3) // a server that answers, one that does not, or both alike
	for _, what := range []string{"wait", "long wait", "answered", "silent", "overdue", "check answered", "lost", "not sent", "refused", "no address", "renew", "check"} {
		n := weights[what]
		if favoured == 0 && (what == "answered" || what == "check answered") {
			n *= 3
		}
		if favoured == 1 && what == "answered" {
			n = rnd.IntN(2)
		}
		for range n {
			bag = append(bag, what)
		}
	}
	return bag
}

// history is what has happened to a port and to its twin.
type history struct {
	t     *testing.T
	rnd   *rand.Rand
	b     *bed
	w     *twin
	story []string

	pending, outdated bool // a check is under way; what becomes of it says nothing
	sent              time.Duration
}

// look notes a check that was sent.
func (h *history) look() {
	if all := h.b.sent(); len(all) > 0 {
		if len(all) > 1 || h.pending {
			h.t.Fatalf("%d checks while one is under way (%v), expected one at a time", len(all), h.pending)
		}
		h.pending, h.outdated, h.sent = true, false, all[0]
	}
}

// happen lets something happen to both.
func (h *history) happen(what string) {
	w, p, now := h.w, h.b.p, h.b.now()
	first := now - time.Duration(h.rnd.IntN(2000))*time.Millisecond // when a request was first sent
	switch what {
	case "wait", "long wait":
		d := time.Duration(h.rnd.IntN(4000)) * time.Millisecond
		if what == "long wait" {
			d = 40 * time.Second
		}
		pass(d)
		h.look()
		if what == "long wait" && !h.pending && w.c.Check != CheckNone {
			h.t.Fatalf("no check in 40 s: %v", h.story)
		}
	case "answered":
		if w.state != Up {
			w.note("reply while not up", 0, 0)
		}
		w.reply(what, now)
		p.Answered(now, time.Duration(h.rnd.IntN(100)))
	case "silent":
		w.silence(now, first)
		p.Silent(first)
	case "overdue":
		w.overdue(now, first)
		p.Unanswered(first)
	case "refused":
		if w.checked() {
			w.suspect()
		}
		p.Refused()
	case "no address":
		w.noAddress = true
		w.become(Down)
		p.NoAddress(errTest)
	case "renew":
		w.noAddress, w.unchecked, h.outdated = false, false, h.pending
		w.note("renew", now, 0)
		w.become(Up)
		p.Renew()
	case "check":
		next := w.c
		next.Check = Check(h.rnd.IntN(3))
		h.outdated = h.outdated || h.pending && next.Check != w.c.Check
		w.check(next.Check)
		p.Configure(next)
	default:
		h.endCheck(what, now)
	}
}

// endCheck ends the check that is under way, if one is.
func (h *history) endCheck(what string, now time.Duration) {
	if !h.pending {
		return
	}
	switch {
	case what == "check answered" && !h.outdated && h.w.c.Check != CheckNone:
		h.w.reply(what, now)
	case what == "lost" && !h.outdated:
		h.w.lost(now, h.sent)
	}
	h.pending, h.outdated = false, false
	p := h.b.p
	map[string]func(){"check answered": func() { p.CheckAnswered(now) }, "lost": p.CheckLost, "not sent": p.CheckNotSent}[what]()
}
