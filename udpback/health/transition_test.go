package health

import (
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// The hint says what was seen, and nothing that was not (H6, H8).
func TestHint(t *testing.T) {
	for _, row := range []struct {
		name   string
		config Config
		script string
		to     State
		want   string
		not    []string
	}{
		{"nothing ever", checked, "loses\npass 60s", Down, "nothing has ever arrived from it: is the address right, does it know this gateway as a client, does it answer Status-Server", []string{"secret"}},
		{"nothing ever, without checks", unchecked, "silent 3", Down, "nothing has ever arrived from it: is the address right, and does it know this gateway as a client?", []string{"secret", "Status-Server", "check"}},
		{"it has answered", checked, "pass 5s\nloses\npass 60s", Down, "requests and checks are no longer answered: is the server running", []string{"secret", "ever"}},
		{"it has answered, without checks", unchecked, "answered\nsilent 3", Down, "requests are no longer answered: is the server running", []string{"secret", "check"}},
		{"it has answered, and never a check", checked, "loses\npass 2s\nanswered\npass 12s\nsilent 3", Down, "requests are no longer answered", []string{"check"}},
		{"thousands that did not verify", checked, "loses\nunverified 3000\npass 60s", Down, "replies arrived (3000), and none of them verified: the secret here and on the server differ", []string{"nothing has ever", "any more"}},
		{"some did, then none", checked, "pass 5s\nloses\nunverified 7\npass 60s", Down, "replies that do not verify arrived (7), though earlier ones did: was the secret changed on one side only? Or do answers come after", []string{"none of them", "differ"}},
		{"one that did not verify", checked, "loses\nunverified\npass 60s", Down, "replies arrived (1), and none of them verified", nil},
		{"without Message-Authenticator", checked, "loses\nunverified\nunsigned 3\npass 60s", Down, "replies arrived (4) that are dropped because they have no Message-Authenticator: update the server or have it sign", []string{"secret", "ever"}},
		{"one before something did, and one since", checked, "unverified\npass 5s\nloses\nunverified\npass 60s", Down, "replies that do not verify arrived (1), though earlier ones did", nil},
		{"what did not verify before something did is past", checked, "unverified 7\npass 5s\nloses\npass 60s", Down, "requests and checks are no longer answered", []string{"verif"}},
		{"a new address", checked, "pass 5s\nanswered\nunverified\nloses\nrenew\npass 60s", Down, "nothing has ever arrived from it", []string{"verif", "any more"}},
		{"the network reports it", checked, "pass 5s\nloses\nfault\npass 60s", Down, "nobody listens", []string{"no longer"}},
		{"what the network reported before a reply is past", checked, "fault\npass 5s\nloses\npass 60s", Down, "requests and checks are no longer answered", []string{"listens"}},
		{"a reply that does not verify is not the network", checked, "pass 5s\nloses\nfault\nunverified\npass 60s", Down, "replies that do not verify arrived (1)", []string{"listens"}},
		{"failing", checked, "pass 5s\nanswered\nunverified\noverdue 5", Failing, "it answers checks, and 5 requests in a row stayed unanswered: check what the server needs for its work", []string{"secret", "running"}},
		{"failing by a check", Config{Check: CheckStatusServer, FailingAfter: 2}, "pass 5s\nloses\npass 60s\nanswers\npass 4s\noverdue 3\npass 10s", Failing, "3 requests in a row stayed unanswered", nil},
		{"no address", checked, "pass 5s\nunverified\nno-address", Down, "its name has no address: is the name right, and does the name server answer?", []string{"secret"}},
		{"an address again, and dead", checked, "no-address\nloses\nrenew\npass 60s", Down, "nothing has ever arrived", []string{"name"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, row.config)
				b.play(row.script)
				got := b.last(row.to).Hint()
				if !strings.Contains(got, row.want) {
					t.Errorf("the hint is %q, expected %q", got, row.want)
				}
				for _, not := range row.not {
					if strings.Contains(got, not) {
						t.Errorf("the hint is %q, expected nothing of %q", got, not)
					}
				}
				b.p.Stop()
				pass(time.Minute)
			})
		})
	}
}

// A transition carries what was known when it happened.
func TestTransitionFacts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, checked)
		b.play("pass 5s\nholds\nunverified 2\nsilent 3")
		want := Transition{From: Up, To: Suspect, Unverified: 2, HasAnswered: true, HasChecks: true, At: b.now()}
		if got := b.last(Suspect); got != want {
			t.Errorf("%+v, expected %+v", got, want)
		}
		b.play("no-address")
		want = Transition{From: Suspect, To: Down, Unverified: 2, HasAnswered: true, HasChecks: true, NoAddress: errTest, At: b.now()}
		if got := b.last(Down); got != want {
			t.Errorf("%+v, expected %+v", got, want)
		}
	})
}

// Changed may call the port's methods: further transitions are reported after it has
// returned, in order, and not in a nested call.
func TestChangedCallsBack(t *testing.T) {
	for _, fate := range []string{"holds", "fails", "unsent"} { // the last two end the check inside Check
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t, Config{Check: CheckStatusServer, DownAfter: 1})
			inside, calls := false, 0
			b.hook = func(tr Transition) {
				if inside {
					t.Error("Changed is called while it runs, expected one call after the other")
				}
				inside = true
				defer func() { inside = false }()
				if calls++; calls > 3 {
					return
				}
				b.p.Configure(*b.p.Config())
				b.p.RequestCheck()
				b.p.Refused()
				b.p.Silent(b.now() + 1)
				b.p.Unanswered(b.now() + 1)
				b.p.Try(b.now())
				b.p.CheckLost()
				b.p.CheckNotSent()
				b.p.NoAddress(errTest)
				b.p.Renew()
				b.p.Answered(b.now(), 0)
				b.p.CheckAnswered(b.now())
				_, _, _ = b.p.State(), b.p.HasChecks(), b.p.Lost()
			}
			b.play("pass 5s")
			b.set(fate)
			b.play("silent 3\npass 20s")
			b.mu.Lock()
			told := b.told
			b.mu.Unlock()
			checkChain(t, told, b.p.State())
			if calls < 4 {
				t.Errorf("%d changes told, expected what Changed itself caused, too", calls)
			}
			b.p.Stop()
		})
	}
}

// checkChain sees that each transition begins where the one before ended.
func checkChain(t *testing.T, told []Transition, end State) {
	t.Helper()
	at := Up
	for i, tr := range told {
		if tr.From != at {
			t.Fatalf("transition %d is %v→%v, expected it from %v", i, tr.From, tr.To, at)
		}
		at = tr.To
	}
	if at != end {
		t.Fatalf("the last transition told is to %v, expected %v, which the port is", at, end)
	}
}

// Many goroutines report evidence to a port: every transition is reported, in order.
func TestTransitionsInOrder(t *testing.T) {
	var mu sync.Mutex
	var told []Transition
	begin := time.Now()
	o := Owner{Clock: func() time.Duration { return time.Since(begin) + 1 }}
	o.Changed = func(tr Transition) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, tr)
	}
	var p *Port
	o.SendCheck = func() { p.CheckLost() }
	p = NewPort(Config{Check: CheckStatusServer, SuspectAfter: 1, FailingAfter: 1, DownAfter: 1, UpAfter: 1, CheckInterval: time.Millisecond}, o)
	p.Start()
	var all sync.WaitGroup
	for _, do := range []func(){
		func() { p.Silent(o.Clock() + time.Second) },
		func() { p.Unanswered(o.Clock() + time.Second) },
		func() { p.Answered(o.Clock(), 1) },
		func() { p.CheckAnswered(o.Clock()) },
		func() { p.CheckLost() },
		func() { p.NoAddress(errTest); p.Renew() },
		func() { p.Configure(*p.Config()) },
		func() { p.Try(o.Clock()); p.Unverified(false); p.Refused(); p.RequestCheck(); p.Lost() },
	} {
		all.Go(func() {
			for range 2000 {
				do()
			}
		})
	}
	all.Wait()
	p.NoAddress(errTest) // the last change, after which nothing else happens
	p.Answered(o.Clock(), 1)
	if p.State() != Down {
		t.Errorf("the port is %v, expected down: it has no address", p.State())
	}
	for told := false; !told; runtime.Gosched() { // by the goroutine that happens to do it
		p.mu.Lock()
		told = !p.reporting && len(p.transitions) == 0
		p.mu.Unlock()
	}
	p.Stop()
	mu.Lock()
	defer mu.Unlock()
	checkChain(t, told, p.State())
}
