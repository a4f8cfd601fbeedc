package spool

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
)

// A spool has as many records and octets as its limits say, and takes more when some were
// delivered, or the limits are raised.
//
// Rules: SP11
func TestLimits(t *testing.T) {
	for _, c := range []struct {
		name string
		set  func(l *Limits, records int)
	}{
		{"records", func(l *Limits, records int) { l.MaxRecords = records }},
		{"octets", func(l *Limits, records int) { l.MaxOctets = int64(records) * 100 }},
	} {
		synctest.Test(t, func(t *testing.T) {
			limits := roomy
			c.set(&limits, 10)
			b := newBed(t, "", limits)
			b.owner.set(holding)
			fill := func() (n int) {
				for ; n < 1000; n++ {
					if err := b.Add(b.entry(sample{fmt.Sprint("s", n), start, 0})); err != nil {
						if err != ErrFull {
							t.Errorf("%s: expected ErrFull, got %v", c.name, err)
						}
						return n
					}
				}
				return n
			}
			n := fill()
			if n < 9 || n > 11 {
				t.Errorf("%s: expected about 10 records, got %d", c.name, n)
			}
			pass(time.Second)
			if st := b.State(); st.Records != n || st.Octets > limits.MaxOctets || st.Waiting != 0 {
				t.Errorf("%s: expected %d records, at most %d octets, and that nothing waits, got %+v", c.name, n, limits.MaxOctets, st)
			}
			b.wantMetric("refused_total", "full", 1)
			b.wantLog("the spool cannot take more records: they are not acknowledged until it can")
			if err := b.Add(b.again(sample{"s1", start, 0}, "copy")); err != nil {
				t.Errorf("%s: expected that a copy of what is stored is acknowledged, got %v", c.name, err)
			}
			b.owner.end(Answered)
			if err := b.Add(b.entry(s2Start)); err != nil {
				t.Errorf("%s: expected that one more is taken over when one was delivered, got %v", c.name, err)
			}
			c.set(&limits, 20)
			b.SetLimits(limits)
			if more := fill(); more == 0 {
				t.Errorf("%s: expected that more are taken over with the new limit", c.name)
			}
			pass(time.Second)
			if got := b.metric("records", ""); int(got) != b.State().Records || got < 18 || got > 22 {
				t.Errorf("%s: expected about 20 records in the metrics, got %v", c.name, got)
			}
		})
	}
}

// What the index counts as octets is not less than what the store has.
//
// Rules: SP11
func TestOctets(t *testing.T) {
	directory := t.TempDir()
	before := int64(0)
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, directory, roomy)
		b.owner.set(holding)
		for i := range 50 {
			b.handOver(b.entry(sample{fmt.Sprint("s", i), start, 0}, func(p *radius.Packet) {
				rfc2865.ProxyState_SetString(p, "not stored")
				rfc2865.Class_Add(p, make([]byte, i*4))
			}))
		}
		pass(time.Second)
		before = b.State().Octets
	})
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, directory, roomy)
		if after := b.State().Octets; after > before || after < before*3/4 {
			t.Errorf("expected about as many octets as before, %d, got %d", before, after)
		}
	})
}

// Records that are too old are dropped, counted and logged; those that are being sent when their
// time is over, later. A lower limit is noticed.
//
// Rules: SP11
func TestMaxAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := roomy
		limits.MaxAge = time.Hour
		b := newBed(t, "", limits)
		b.owner.set(holding)
		b.add(s1Start) // will be in flight
		pass(time.Second)
		for i := range 3 {
			b.add(sample{"s2", interim, i + 1})
			pass(20 * time.Minute)
		}
		wantList(t, "kept after an hour", b.kept(), "s1/start", "s2/interim1", "s2/interim2", "s2/interim3")
		pass(10 * time.Second)
		wantList(t, "kept after an hour and a moment", b.kept(), "s1/start", "s2/interim2", "s2/interim3")
		b.wantMetric("dropped_total", "age", 1)
		b.wantLog("records were dropped that no server has answered within max_age")
		b.owner.end(Silent)
		pass(2 * time.Second)
		b.SetLimits(Limits{MaxOctets: 1 << 40, MaxRecords: 1 << 30, MaxAge: 30 * time.Minute, Rate: 1, Window: 1, Attempts: 3})
		b.owner.end(Silent)
		pass(10 * time.Second)
		b.owner.end(Silent)
		pass(10 * time.Second)
		wantList(t, "kept with the new limit", b.kept(), "s2/interim3")
		if got, want := b.State().Oldest, 20*time.Minute; got < want || got > want+time.Minute {
			t.Errorf("expected that the oldest record is about %v old, got %v", want, got)
		}
	})
}

// More records can be too old than one sweep reads.
//
// Rules: SP11
func TestMaxAgeOfMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, "", roomy)
		b.owner.set(holding)
		const many = 3*maxSwept + 10
		for i := range many {
			b.add(sample{fmt.Sprint("s", i), start, 0})
		}
		pass(time.Minute)
		b.owner.end(Silent)
		limits := roomy
		limits.MaxAge = time.Second
		b.SetLimits(limits)
		b.owner.set(silent)
		pass(10 * time.Second)
		b.owner.end(Silent)
		pass(20 * time.Second)
		b.wantRecords("after a few sweeps", 0)
		b.wantMetric("dropped_total", "age", many)
		if got := b.State().Oldest; got != 0 {
			t.Errorf("expected no oldest record, got one of %v", got)
		}
	})
}

// Records that the spool leaves alone do not keep the others from being swept.
//
// Rules: SP11, SP13
func TestMaxAgeBehindUnknownRecords(t *testing.T) {
	directory := t.TempDir()
	st, err := openFileStore(directory, quiet)
	if err != nil {
		t.Fatal(err)
	}
	var add []addition
	for i := range uint64(3 * maxSwept) {
		add = append(add, addition{i + 1, []byte{formatVersion + 1, 1, 2, 3, 4, 5}})
	}
	if err := st.commit(add, nil); err != nil {
		t.Fatal(err)
	}
	st.close()
	synctest.Test(t, func(t *testing.T) {
		limits := roomy
		limits.MaxAge = time.Minute
		b := newBed(t, directory, limits)
		b.owner.set(holding)
		b.add(s1Start)
		pass(time.Second)
		b.owner.end(Silent)
		pass(10 * time.Second)
		if b.State().Oldest < 5*time.Second {
			t.Errorf("expected the age of the oldest record, got %v", b.State().Oldest)
		}
		b.owner.set(silent)
		b.owner.end(Silent)
		pass(2 * time.Minute)
		b.wantRecords("after max_age", 0)
		b.wantMetric("dropped_total", "age", 1)
		b.close()
		st, err := openFileStore(directory, quiet)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(contents(t, st)); n != 3*maxSwept {
			t.Errorf("expected that %d records of another version are left alone, got %d", 3*maxSwept, n)
		}
		st.close()
	})
}
