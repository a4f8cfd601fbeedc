package cluster

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"radsec-gw/interop/testbed"
)

// All NATS servers are killed while users log in through each gateway, with a State that the
// gateways would tell each other: no login fails or takes longer. Meanwhile CoA reaches a NAS of
// the gateway that is asked, for others there is a NAK, and accounting that no server answers is
// not acknowledged. When the NATS servers are back, all is as before, without a restart of a
// gateway.
//
// Rules: GW2, GW3, GW5
func TestNATSIsKilled(t *testing.T) {
	list, servers := startThree(t)
	b := newBed(t, list)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	logins := b.keepLoggingIn(ctx)
	shared.accounting.Suspend()
	defer shared.accounting.Resume()
	b.sharing("before", logins)
	killed := time.Now()
	servers.KillAll()
	b.alone(killed, logins)
	restarted := time.Now()
	servers.RestartAll()
	awaitSharing(t, list)
	t.Logf("the gateways share again %v after the NATS servers were started", time.Since(restarted).Round(time.Millisecond))
	b.sharing("after", logins)
	stop()
	logins.sending.Wait()
	end := time.Now()
	shared.accounting.Resume()
	if w := b.awaitDetail(time.Minute); len(w.missing(b.acknowledged)) > 0 {
		t.Errorf("expected each acknowledged record in the detail file, these are missing: %v", w.missing(b.acknowledged))
	}
	usual := logins.report("before", time.Time{}, killed)
	for _, other := range []loginTimes{logins.report("without NATS", killed, restarted), logins.report("with NATS again", restarted, end)} {
		if other.p99 > usual.p99+100*time.Millisecond || other.longest > time.Second {
			t.Errorf("expected that logins take no longer than %v, got 99 %% within %v, the longest %v", usual.p99, other.p99, other.longest)
		}
	}
}

// bed is three gateways, with a NAS at each.
type bed struct {
	load    // what was acknowledged
	list    []*gateway
	nases   []*nas
	senders []*sender
	records int
}

func newBed(t *testing.T, list []*gateway) *bed {
	t.Helper()
	b := &bed{load: load{t: t, acknowledged: map[recordKey]bool{}}, list: list}
	for i, g := range list {
		n := mustConnect(t, fmt.Sprintf("without-%d", i), g)
		if err := n.login(patience); err != nil {
			t.Fatal(err)
		}
		b.nases, b.senders = append(b.nases, n), append(b.senders, newSender(t, g))
	}
	return b
}

// record sends a new record to a gateway, and reports whether it was acknowledged.
func (b *bed) record(i int, within time.Duration) bool {
	b.records++
	key := recordKey{fmt.Sprintf("without-%d", b.records), kinds[0]}
	if b.nases[i].record(key, within) != nil {
		return false
	}
	b.acknowledged[key] = true
	return true
}

// sharing checks that CoA to each gateway reaches the NAS of each, and that each acknowledges
// what goes to the spool.
func (b *bed) sharing(when string, logins *loginLog) {
	b.t.Helper()
	for i, s := range b.senders {
		for _, n := range b.nases {
			s.wantACK(n)
		}
		s.wantNAK("nobody", time.Second)
		if !b.record(i, patience) {
			b.t.Errorf("%s: gateway %d does not acknowledge a record for the spool", when, i)
		}
	}
	logins.more(100)
}

// alone checks what gateways do without NATS: at once, and when they know.
func (b *bed) alone(killed time.Time, logins *loginLog) {
	b.t.Helper()
	for i, s := range b.senders {
		b.t.Logf("gateway %d, %v after NATS was killed: NAK for a NAS of another after %v", i, time.Since(killed).Round(time.Millisecond),
			s.wantNAK(b.nases[(i+1)%len(b.nases)].name, 2*time.Second))
		s.wantACK(b.nases[i])
	}
	for _, g := range b.list {
		if !testbed.Eventually(patience, func() bool { return g.Metrics().Sum("radsec_gw_cluster_up") == 0 }) {
			b.t.Error("expected that a gateway knows that NATS is gone")
		}
	}
	for i, s := range b.senders {
		if b.record(i, time.Second) {
			b.t.Errorf("gateway %d acknowledges a record that it cannot store", i)
		}
		s.wantACK(b.nases[i])
		s.wantNAK(b.nases[(i+1)%len(b.nases)].name, 200*time.Millisecond)
	}
	logins.more(100)
}

// loginLog is how long logins took.
type loginLog struct {
	t       *testing.T
	sending sync.WaitGroup

	mu  sync.Mutex
	all []oneLogin
}

type oneLogin struct {
	began time.Time
	took  time.Duration
}

// keepLoggingIn has a user log in through each gateway all the time, until ctx is done.
func (b *bed) keepLoggingIn(ctx context.Context) *loginLog {
	l := &loginLog{t: b.t}
	ctx, stop := context.WithCancel(ctx)
	for i, g := range b.list {
		n := mustConnect(b.t, fmt.Sprintf("logins-%d", i), g)
		l.sending.Go(func() {
			tick := time.NewTicker(20 * time.Millisecond)
			defer tick.Stop()
			for ctx.Err() == nil {
				began := time.Now()
				if err := n.login(patience); err != nil {
					b.t.Errorf("a login through gateway %d: %v", i, err)
					return
				}
				l.mu.Lock()
				l.all = append(l.all, oneLogin{began, time.Since(began)})
				l.mu.Unlock()
				<-tick.C
			}
		})
	}
	b.t.Cleanup(func() {
		stop()
		l.sending.Wait()
	})
	return l
}

// more waits until there are n more logins.
func (l *loginLog) more(n int) {
	l.t.Helper()
	count := func() int {
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.all)
	}
	want := count() + n
	if !testbed.Eventually(patience, func() bool { return count() >= want }) {
		l.t.Fatalf("expected %d more logins within %v", n, patience)
	}
}

// loginTimes are how long the logins of some time took.
type loginTimes struct{ p99, longest time.Duration }

// report logs and returns how long the logins took that were on their way from and to a time.
func (l *loginLog) report(when string, from, to time.Time) loginTimes {
	l.t.Helper()
	var took []time.Duration
	l.mu.Lock()
	for _, o := range l.all {
		if o.began.Before(to) && o.began.Add(o.took).After(from) {
			took = append(took, o.took)
		}
	}
	l.mu.Unlock()
	if len(took) == 0 {
		l.t.Fatalf("%s: there are no logins", when)
	}
	slices.Sort(took)
	p50, r := percentile(took, 0.5), loginTimes{percentile(took, 0.99), took[len(took)-1]}
	l.t.Logf("%s: %d logins of three requests, none failed; p50 %v, p99 %v, longest %v", when, len(took), p50, r.p99, r.longest)
	return r
}
