package spool

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
	"layeh.com/radius"
	"layeh.com/radius/rfc2866"

	"radsec-gw/cluster/natstest"
	"radsec-gw/metrics"
	"radsec-gw/wire"
)

func TestMain(m *testing.M) {
	natstest.Serve()
	goleak.VerifyTestMain(m)
}

// roomy are limits that nothing in a test reaches.
var roomy = Limits{MaxOctets: 1 << 40, MaxRecords: 1 << 30, MaxAge: 100 * 24 * time.Hour, Rate: 1000, Window: 64, Attempts: 3}

// bed is a spool with a fake owner, and a store that tests can disturb.
type bed struct {
	*Spool
	t        testing.TB
	owner    *fakeOwner
	registry *prometheus.Registry
	text     *output
	secret   *wire.ClientSecret
}

// newBed opens a spool in a directory, "": a new one.
func newBed(t testing.TB, directory string, limits Limits) *bed {
	t.Helper()
	b := closedBed(t, directory, limits)
	b.Start(t.Context())
	return b
}

// closedBed returns a spool that is not open yet.
func closedBed(t testing.TB, directory string, limits Limits) *bed {
	t.Helper()
	if directory == "" {
		directory = t.TempDir()
	}
	secret, err := wire.NewClientSecret([]byte("radsec"))
	if err != nil {
		t.Fatal(err)
	}
	b := &bed{t: t, owner: newFakeOwner(), registry: prometheus.NewRegistry(), text: new(output), secret: secret}
	b.Spool = New(Config{Directory: directory, Limits: limits, Owner: b.owner, Metrics: metrics.New(b.registry).Spool(), Log: slog.New(slog.NewTextHandler(b.text, nil))})
	t.Cleanup(b.close)
	return b
}

// close closes the spool, as often as it is called.
func (b *bed) close() {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := b.Close(ctx); err != nil {
		b.t.Errorf("expected that the spool closes, got %v", err)
	}
}

// output is what was logged.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// pass waits for d, and for what is done then.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// sample is what a test needs to know of a record.
type sample struct {
	session string
	status  int
	number  int // tells records of the same session and status apart
}

const (
	start   = 1
	stop    = 2
	interim = 3
	on      = 7
	off     = 8
)

func (s sample) String() string {
	text := fmt.Sprintf("%s/%s", s.session, map[int]string{start: "start", stop: "stop", interim: "interim", on: "on", off: "off"}[s.status])
	if s.number != 0 {
		text += fmt.Sprint(s.number)
	}
	return text
}

// sampleOf returns the sample that a packet was made of.
func sampleOf(packet []byte) (s sample) {
	var v wire.View
	if v.Parse(packet) != nil {
		return sample{session: "unreadable"}
	}
	s.session = string(v.Get(byte(rfc2866.AcctSessionID_Type)))
	if b := v.Get(byte(rfc2866.AcctStatusType_Type)); len(b) == 4 {
		s.status = int(binary.BigEndian.Uint32(b))
	}
	if b := v.Get(byte(rfc2866.AcctSessionTime_Type)); len(b) == 4 {
		s.number = int(binary.BigEndian.Uint32(b))
	}
	return s
}

// entry returns the entry of a sample.
func (b *bed) entry(s sample, more ...func(p *radius.Packet)) *Entry {
	b.t.Helper()
	packet := accounting(b.t, func(p *radius.Packet) {
		rfc2866.AcctSessionID_SetString(p, s.session)
		rfc2866.AcctStatusType_Set(p, rfc2866.AcctStatusType(s.status))
		if s.number != 0 {
			rfc2866.AcctSessionTime_Set(p, rfc2866.AcctSessionTime(s.number))
		}
		for _, f := range more {
			f(p)
		}
	})
	e := &Entry{Record: Record{Arrived: time.Now(), Client: "campus", Address: netip.MustParseAddrPort("192.0.2.9:40000"), Route: "a"}, From: b.secret, Owner: s.String()}
	e.Packet = *view(b.t, packet)
	e.Marks = b.Marks(e.Record.Client, &e.Packet)
	return e
}

// add hands records over, which must be accepted.
func (b *bed) add(list ...sample) {
	b.t.Helper()
	for _, s := range list {
		if err := b.Add(b.entry(s)); err != nil {
			b.t.Fatalf("%v: expected that it is taken over, got %v", s, err)
		}
	}
}

// wantRecords expects how many records the spool has.
func (b *bed) wantRecords(when string, want int) {
	b.t.Helper()
	if st := b.State(); st.Records != want {
		b.t.Errorf("%s: expected %d records in the spool, got %d", when, want, st.Records)
	}
}

// kept returns the records in the store, in its order.
func (b *bed) kept() (list []string) {
	b.t.Helper()
	err := b.Each(0, func(k *Kept) bool {
		list = append(list, sampleOf(k.Record.Packet).String())
		return true
	})
	if err != nil {
		b.t.Errorf("expected that the records can be listed, got %v", err)
	}
	return list
}

// inStore returns how many records the store has, also those that are about to be removed.
func (b *bed) inStore() (n int) {
	b.t.Helper()
	if err := b.store.each(0, func(uint64, []byte) bool { n++; return true }); err != nil {
		b.t.Error(err)
	}
	return n
}

// metric returns the sum of a metric's series that have a label with the value, "": of all.
func (b *bed) metric(name, label string) (sum float64) {
	b.t.Helper()
	families, err := b.registry.Gather()
	if err != nil {
		b.t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "radsec_gw_spool_"+name {
			continue
		}
		for _, m := range f.GetMetric() {
			if len(m.GetLabel()) == 0 || label == "" || m.GetLabel()[0].GetValue() == label {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return sum
}

func (b *bed) wantMetric(name, label string, want float64) {
	b.t.Helper()
	if got := b.metric(name, label); got != want {
		b.t.Errorf("expected spool_%s{%s} to be %v, got %v", name, label, want, got)
	}
}

func (b *bed) wantLog(want string) {
	b.t.Helper()
	if text := b.text.String(); !strings.Contains(text, want) {
		b.t.Errorf("expected a log line with %q, got %q", want, text)
	}
}

// wantList expects a list of records, or of other things with names.
func wantList(t testing.TB, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: expected %q, got %q", what, want, got)
	}
}
