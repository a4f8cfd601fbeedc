package cluster

import (
	"context"
	"os"
	"testing"
	"time"

	"radsec-gw/interop/testbed"
)

// The load: so many records are acknowledged before a gateway is killed, and so many afterwards.
const (
	recordsBefore = 1500
	recordsAfter  = 500
)

// While the server of accounting is away, the gateway that sends the records of all is killed
// (SIGKILL), and its disk removed. Its NASes go on with the others. When the server is back,
// another gateway sends: each record that any of the three has acknowledged is in FreeRADIUS's
// detail file, and none is there before the one that precedes it in its session.
//
// Rules: GW4, SP9
func TestGatewayKilledWithItsDisk(t *testing.T) {
	list, _ := startThree(t)
	l := &load{t: t}
	for _, g := range list {
		l.addresses = append(l.addresses, g.radsec)
	}
	shared.accounting.Suspend()
	defer shared.accounting.Resume()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	l.start(ctx)
	l.await(recordsBefore)
	victim := leader(list)
	if victim < 0 {
		t.Fatal("expected that a gateway leads")
	}
	inSpool := list[victim].Metrics().Sum("radsec_gw_spool_records")
	list[victim].Kill()
	if err := os.RemoveAll(list[victim].disk); err != nil {
		t.Fatal(err)
	}
	killed, before := time.Now(), l.count()
	others := append(list[:victim:victim], list[victim+1:]...)
	l.await(before + recordsAfter)
	stop()
	l.sending.Wait()
	if !testbed.Eventually(patience, func() bool { return leader(others) >= 0 }) {
		t.Fatalf("expected that another gateway leads within %v", patience)
	}
	led := time.Since(killed)
	shared.accounting.Resume()
	back := time.Now()
	w := l.awaitDetail(time.Minute)
	t.Logf("gateway %c was killed with %v records in the spool; another leads after %v at most; all was written %v after the server was back",
		'A'+victim, inSpool, led.Round(time.Millisecond), time.Since(back).Round(time.Millisecond))
	l.report(w)
}

// await waits until so many records were acknowledged.
func (l *load) await(n int) {
	l.t.Helper()
	if !testbed.Eventually(2*patience, func() bool { return l.count() >= n }) {
		l.t.Fatalf("expected that %d records are acknowledged within %v, got %d", n, 2*patience, l.count())
	}
}

// awaitDetail waits until FreeRADIUS has written each acknowledged record, and returns what it has.
func (l *load) awaitDetail(within time.Duration) (w written) {
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(within); ; <-tick.C {
		w = readDetail(l.t)
		if len(w.missing(l.acknowledged)) == 0 || time.Now().After(end) {
			return w
		}
	}
}

// report compares what was acknowledged with what FreeRADIUS has written.
func (l *load) report(w written) {
	l.t.Helper()
	twice := 0
	for key := range l.acknowledged {
		if w.records[key] > 1 {
			twice++
		}
	}
	missing := w.missing(l.acknowledged)
	l.t.Logf("%d records acknowledged, %d sent again to another gateway: %d missing, %d before the one that precedes them, %d more than once",
		len(l.acknowledged), l.sentAgain, len(missing), w.early, twice)
	if len(missing) > 0 || w.early > 0 {
		l.t.Errorf("expected every acknowledged record, in the order of its session; missing: %v; %d too early", missing[:min(10, len(missing))], w.early)
	}
}
