package health

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errTest = errors.New("no such host")

// bed is a port, and an owner that does with its checks what the test says.
type bed struct {
	t *testing.T
	p *Port

	mu     sync.Mutex // guards the fields below
	fate   string     // of checks: "answers", "loses", "unsent", "fails" at once, "holds"
	checks []time.Duration
	told   []Transition
	hook   func(Transition)
}

// newBed returns a port under watch, whose checks are answered. Must run in a bubble.
func newBed(t *testing.T, c Config) *bed {
	b := &bed{t: t, fate: "answers"}
	start := time.Now()
	clock := func() time.Duration { return time.Since(start) + time.Second }
	b.p = NewPort(c, Owner{Clock: clock, SendCheck: b.check, Changed: b.changed})
	b.p.Start()
	t.Cleanup(b.p.Stop)
	return b
}

func (b *bed) now() time.Duration { return b.p.owner.Clock() }

func (b *bed) check() {
	b.mu.Lock()
	b.checks = append(b.checks, b.now())
	fate := b.fate
	b.mu.Unlock()
	switch fate {
	case "answers":
		time.AfterFunc(10*time.Millisecond, func() { b.p.CheckAnswered(b.now()) })
	case "loses":
		time.AfterFunc(b.p.Config().CheckInterval, b.p.CheckLost)
	case "unsent":
		b.p.CheckNotSent()
	case "fails":
		b.p.CheckLost()
	}
}

func (b *bed) changed(t Transition) {
	b.mu.Lock()
	b.told = append(b.told, t)
	hook := b.hook
	b.mu.Unlock()
	if hook != nil {
		hook(t)
	}
}

// set says what becomes of checks from now on.
func (b *bed) set(fate string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fate = fate
}

// sent returns when checks were sent so far, and forgets them.
func (b *bed) sent() []time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.checks
	b.checks = nil
	return all
}

// transitions returns what Changed was told, in one line.
func (b *bed) transitions() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var words []string
	for _, t := range b.told {
		word := fmt.Sprintf("%v→%v", t.From, t.To)
		if t.NoStatusServer {
			word = "no-status-server"
		}
		if t.Alive {
			word = "alive"
		}
		if t.Maintenance {
			word = fmt.Sprintf("maintenance-%t", t.InMaintenance)
		}
		if t.Assumed {
			word += "?"
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

// last returns the last transition to a state.
func (b *bed) last(to State) Transition {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := len(b.told) - 1
	for ; i >= 0 && b.told[i].To != to; i-- {
	}
	if i < 0 {
		b.t.Fatalf("the port never became %v", to)
	}
	return b.told[i]
}

func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

var states = []State{Up, Suspect, Failing, Down}

// play carries out a transcript: in each line an action, how often (1 without a number),
// and the state that is expected after it, if one is named.
func (b *bed) play(script string) {
	b.t.Helper()
	for line := range strings.Lines(script) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		want := State(-1)
		for _, s := range states {
			if words[len(words)-1] == s.String() {
				want, words = s, words[:len(words)-1]
			}
		}
		b.act(words)
		if got := b.p.State(); want >= 0 && got != want {
			b.t.Fatalf("after %q the port is %v, expected %v (%s)", strings.TrimSpace(line), got, want, b.transitions())
		}
	}
}

// act carries out one action. A request is sent in the moment in which it is found
// silent or overdue, a millisecond after everything before.
func (b *bed) act(words []string) {
	p, what, count := b.p, words[0], 1
	if len(words) > 1 {
		if n, err := strconv.Atoi(words[1]); err == nil {
			count = n
		}
	}
	if slices.Contains([]string{"answers", "loses", "unsent", "fails", "holds"}, what) {
		b.set(what)
		return
	}
	for range count {
		pass(time.Millisecond)
		switch what {
		case "pass":
			d, err := time.ParseDuration(words[1])
			if err != nil {
				b.t.Fatal(err)
			}
			pass(d)
		case "silent":
			p.Silent(b.now())
		case "answered":
			p.Answered(b.now(), 10*time.Millisecond)
		case "overdue":
			p.Unanswered(b.now())
		case "refused":
			p.Refused()
		case "unverified":
			p.Unverified(false)
		case "unsigned":
			p.Unverified(true)
		case "fault":
			p.Fault("nobody listens")
		case "no-address":
			p.NoAddress(errTest)
		case "renew":
			p.Renew()
		case "maintenance":
			p.SetMaintenance(words[1] == "on")
		case "check":
			c := *p.Config()
			c.Check = map[string]Check{"none": CheckNone, "status-server": CheckStatusServer, "access-request": CheckAccessRequest}[words[1]]
			p.Configure(c)
		case "check-answered":
			p.CheckAnswered(b.now())
		case "check-lost":
			p.CheckLost()
		case "check-lost-answered": // at once: no check goes out between the two
			p.CheckLost()
			p.Answered(b.now(), 10*time.Millisecond)
		case "check-not-sent":
			p.CheckNotSent()
		default:
			b.t.Fatalf("no such action: %q", what)
		}
		synctest.Wait()
	}
}

// transcript is one table row: what happens to a port, and what is notified of it.
type transcript struct {
	name   string
	config Config
	script string
	want   string // transitions; a question mark follows one that nothing has shown
}

func playAll(t *testing.T, rows []transcript) {
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, row.config)
				b.play(row.script)
				if got := b.transitions(); got != row.want {
					t.Errorf("told %q, expected %q", got, row.want)
				}
				b.p.Stop()
				pass(time.Minute) // checks under way end
			})
		})
	}
}

var (
	checked   = Config{Check: CheckStatusServer}
	unchecked = Config{}
)
