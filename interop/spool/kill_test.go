package spool

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"layeh.com/radius/rfc2866"
)

// kills returns how often the gateway is killed.
func kills(t *testing.T) int {
	t.Helper()
	text := os.Getenv("SPOOL_KILLS")
	if text == "" {
		return 20
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("SPOOL_KILLS: expected a number, got %q", text)
	}
	return n
}

// The load: this many NASes, each with a record in every pause, are 2,000 records a second.
const (
	nases    = 8
	nasPause = 4 * time.Millisecond
)

// The gateway is killed at random moments under 2,000 records a second, while its server comes
// and goes. Whatever was acknowledged to a NAS is in FreeRADIUS's detail file in the end, and
// no record is there before the Start of its session.
//
// Rules: SP2, SP5, SP9
func TestKilledGatewayLosesNothing(t *testing.T) {
	g := newGateway(t, t.TempDir(), "")
	g.start()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	all := make([]*nas, nases)
	var sending sync.WaitGroup
	for i := range all {
		all[i] = &nas{t: t, name: fmt.Sprintf("kill%d", i), address: g.address, tls: clientTLS(t), pause: nasPause}
		sending.Go(func() { all[i].run(ctx) })
	}
	comesAndGoes(ctx, t)
	n := kills(t)
	for range n {
		<-time.After(time.Duration(100+rand.IntN(900)) * time.Millisecond)
		g.kill()
		g.start()
	}
	<-time.After(time.Second)
	stop()
	shared.freeradius.Resume()
	sending.Wait()
	if !g.emptied(5 * time.Minute) {
		t.Fatalf("expected that the spool empties, got %v records left", g.Metrics().Sum("radsec_gw_spool_records"))
	}
	report(t, n, all)
}

// comesAndGoes stops and continues the server at random, until ctx is done.
func comesAndGoes(ctx context.Context, t *testing.T) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer shared.freeradius.Resume()
		for ctx.Err() == nil {
			shared.freeradius.Suspend()
			wait(ctx, time.Duration(200+rand.IntN(2500))*time.Millisecond)
			shared.freeradius.Resume()
			wait(ctx, time.Duration(200+rand.IntN(1500))*time.Millisecond)
		}
	}()
	t.Cleanup(func() { <-done })
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// report compares what was acknowledged with the detail file.
func report(t *testing.T, kills int, all []*nas) {
	t.Helper()
	written, early := readDetail(t)
	acknowledged, sent, missing, twice, lost := 0, 0, 0, 0, int64(0)
	for _, n := range all {
		sent += n.sent
		lost += n.lost.Load()
		for key := range n.acknowledged {
			acknowledged++
			switch c := written[key]; {
			case c == 0:
				missing++
				if missing < 10 {
					t.Errorf("record %v was acknowledged, and FreeRADIUS does not have it", key)
				}
			case c > 1:
				twice++
			}
		}
	}
	if missing > 0 || early > 0 {
		t.Errorf("expected every acknowledged record, and none before its Start; got %d missing and %d too early", missing, early)
	}
	if acknowledged < kills*100 {
		t.Errorf("expected at least %d acknowledged records, got %d: this tests nothing", kills*100, acknowledged)
	}
	t.Logf("%d kills, %d connections lost, %d records sent, %d acknowledged: 0 expected missing, %d missing, %d before their Start, %d more than once", kills, lost, sent, acknowledged, missing, early, twice)
}

// readDetail counts the records of FreeRADIUS's detail file, and those that are there before
// the Start of their session.
func readDetail(t *testing.T) (written map[recordKey]int, early int) {
	t.Helper()
	f, err := os.Open(inDir("freeradius/log/detail"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	written = map[recordKey]int{}
	var key recordKey
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		name, value, _ := strings.Cut(strings.TrimSpace(lines.Text()), " = ")
		switch name {
		case "Acct-Session-Id":
			key.session = strings.Trim(value, `"`)
		case "Acct-Status-Type":
			key.kind = map[string]rfc2866.AcctStatusType{"Start": 1, "Stop": 2, "Interim-Update": 3}[value]
		case "": // the end of a record
			if key.session != "" {
				written[key]++
				if written[recordKey{key.session, kinds[0]}] == 0 {
					early++
				}
			}
			key = recordKey{}
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return written, early
}
