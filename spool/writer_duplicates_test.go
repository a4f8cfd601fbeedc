package spool

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"
	"layeh.com/radius/rfc2868"
	"layeh.com/radius/rfc2869"
)

// again returns the entry of a copy of a record, as a client sends it that has missed the answer.
func (b *bed) again(s sample, name string) *Entry {
	b.t.Helper()
	e := b.entry(s, func(p *radius.Packet) {
		rfc2866.AcctDelayTime_Set(p, 9)
		rfc2865.ProxyState_SetString(p, "another")
	})
	e.Owner = name
	return e
}

// handOver hands entries over, which must be accepted.
func (b *bed) handOver(list ...*Entry) {
	b.t.Helper()
	for _, e := range list {
		if err := b.Add(e); err != nil {
			b.t.Fatalf("%v: expected that it is taken over, got %v", e.Owner, err)
		}
	}
}

// blockedBed returns a spool with silent servers, whose store waits until release is called.
func blockedBed(t *testing.T) (b *bed, current func() *testStore, release func()) {
	t.Helper()
	b = closedBed(t, "", roomy)
	current = b.disturbed()
	b.owner.set(holding)
	b.Start(t.Context())
	release = current().block()
	b.add(sample{"other", start, 0}) // keeps the disk busy
	synctest.Wait()
	t.Cleanup(release)
	return b, current, release
}

// A copy of a record that is stored is acknowledged, and stored and sent once.
//
// Rules: SP7
func TestDuplicateOfAStoredRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, "", roomy)
		b.owner.set(holding)
		b.add(s2Start, s1Start) // the first is in flight
		pass(time.Second)
		b.handOver(b.again(s1Start, "copy"), b.again(s2Start, "copy of what is being sent"))
		pass(time.Second)
		wantList(t, "acknowledged", b.owner.acknowledged(), "s2/start", "s1/start", "copy", "copy of what is being sent")
		wantList(t, "kept", b.kept(), "s2/start", "s1/start")
		b.wantMetric("duplicates_total", "", 2)
		b.wantMetric("stored_total", "", 2)
		b.owner.set(answering)
		b.owner.end(Answered)
		pass(time.Minute)
		wantList(t, "sent", b.owner.names(), "s2/start", "s1/start")
		b.wantRecords("at the end", 0)
	})
}

// Copies that are stored with the same commit, and more of them: one record.
//
// Rules: SP7
func TestDuplicatesInOneCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, current, release := blockedBed(t)
		b.add(s1Start)
		b.handOver(b.again(s1Start, "first copy"), b.again(s1Start, "second copy"))
		release()
		pass(time.Second)
		if commits := current().taken(); !slices.Equal(commits, []int{1, 1}) {
			t.Errorf("expected two commits with one record each, got %v", commits)
		}
		wantList(t, "acknowledged", b.owner.acknowledged(), "other/start", "s1/start", "first copy", "second copy")
		wantList(t, "kept", b.kept(), "other/start", "s1/start")
		b.wantMetric("duplicates_total", "", 2)
	})
}

// A copy that arrives while its record is answered: either the record is still in the store, and
// the copy is acknowledged, or it becomes a record of its own, and its own copies belong to that.
//
// Rules: SP7
func TestDuplicateOfADeliveredRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, current, release := blockedBed(t)
		b.add(s1Start)
		release()
		pass(time.Second)
		b.owner.end(Answered)
		pass(10 * time.Millisecond) // s1/start is being sent
		release = current().block()
		b.add(s2Start)
		synctest.Wait() // and its commit runs
		b.handOver(b.again(s1Start, "first copy"))
		b.owner.end(Answered) // s1/start
		b.handOver(b.again(s1Start, "second copy"), b.again(s1Start, "third copy"))
		release()
		pass(time.Second)
		got := b.owner.acknowledged()
		slices.Sort(got)
		wantList(t, "acknowledged", got, "first copy", "other/start", "s1/start", "s2/start", "second copy", "third copy")
		b.owner.set(answering)
		b.owner.end(Answered)
		pass(time.Minute)
		n := 0
		for _, name := range b.owner.names() {
			if name == "s1/start" {
				n++
			}
		}
		if n > 2 {
			t.Errorf("expected that the record is sent once, and once for all copies that came later, got %d times", n)
		}
		b.wantRecords("at the end", 0)
		wantList(t, "kept", b.kept())
	})
}

// Copies whose record is gone from the store become one record, not two.
//
// Rules: SP7
func TestDuplicatesWhoseRecordIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, current, release := blockedBed(t)
		b.add(s1Start)
		release()
		pass(time.Second)
		release = current().block()
		b.add(s2Start)
		synctest.Wait()
		b.handOver(b.again(s1Start, "first copy"), b.again(s1Start, "second copy"), b.again(s1Start, "third copy"))
		if err := current().store.commit(nil, []uint64{2}); err != nil { // s1/start, as if it had been delivered
			t.Fatal(err)
		}
		b.mu.Lock()
		b.index.remove(b.index.find(b.entry(s1Start).Marks.content, 2))
		b.mu.Unlock()
		release()
		pass(time.Second)
		wantList(t, "kept", b.kept(), "other/start", "s2/start", "s1/start")
		b.wantMetric("duplicates_total", "", 2)
		got := b.owner.acknowledged()
		slices.Sort(got)
		wantList(t, "acknowledged", got, "first copy", "other/start", "s1/start", "s2/start", "second copy", "third copy")
	})
}

// Two records whose hashes are equal by chance are two records: each is acknowledged, stored,
// found again by its own copies, sent and removed.
//
// Rules: SP7
func TestEqualHashes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _, release := blockedBed(t)
		content := b.entry(s1Start).Marks.content
		collide := func(s sample, name string) *Entry {
			e := b.again(s, name)
			e.Marks.content = content
			return e
		}
		b.handOver(collide(s1Start, "one"), collide(s2Start, "two"), collide(s2Start, "copy of two"), collide(s1Start, "copy of one"))
		release()
		pass(time.Second)
		wantList(t, "acknowledged", b.owner.acknowledged(), "other/start", "one", "two", "copy of two", "copy of one")
		b.handOver(collide(s2Start, "late copy of two"), collide(s1Start, "late copy of one"), collide(s1Stop, "three"))
		pass(time.Second)
		wantList(t, "acknowledged later", b.owner.acknowledged(), "late copy of two", "late copy of one", "three")
		if got := len(b.index.copies(nil, content)); got != 3 {
			t.Errorf("expected three records with one hash, got %d", got)
		}
		b.wantMetric("duplicates_total", "", 4)
		b.wantRecords("with one hash", 4)
		b.owner.set(answering)
		b.owner.end(Answered)
		pass(time.Minute)
		got := b.owner.names()
		slices.Sort(got)
		wantList(t, "sent", got, "other/start", "s1/start", "s1/stop", "s2/start")
		b.wantRecords("at the end", 0)
		if n := len(b.index.byContent); n != 0 {
			t.Errorf("expected that no hash is left, got %d", n)
		}
	})
}

// A copy of a record that could not be stored is not acknowledged: neither if the record is not
// readable, nor if the disk fails.
//
// Rules: SP2, SP7, SP10
func TestDuplicateOfARecordThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, current, release := blockedBed(t)
		bad := b.entry(s1Start, func(p *radius.Packet) { p.Add(rfc2868.TunnelPassword_Type, make([]byte, 250)) })
		if err := bad.Packet.Parse11(bad.Packet.Packet); err != nil { // in clear, and too long to be hidden
			t.Fatal(err)
		}
		copied := b.again(s1Start, "copy")
		b.handOver(bad, copied)
		release()
		pass(time.Second)
		wantList(t, "acknowledged", b.owner.acknowledged(), "other/start", "s1/start: unreadable", "copy: unreadable")
		b.wantMetric("refused_total", "unreadable", 2)

		current().fail(errNoSpace)
		b.add(s2Start)
		b.handOver(b.again(s2Start, "copy"))
		pass(time.Second)
		wantList(t, "acknowledged", b.owner.acknowledged(), "s2/start: disk", "copy: disk")
		b.wantMetric("duplicates_total", "", 0)
		current().fail(nil)
		b.handOver(b.again(s2Start, "another copy"), b.again(s1Start, "a copy that is readable"))
		pass(time.Second)
		wantList(t, "acknowledged", b.owner.acknowledged(), "another copy", "a copy that is readable")
		wantList(t, "kept", b.kept(), "other/start", "s2/start", "s1/start")
	})
}

// What RADIUS/1.1 has in clear and cannot be hidden is not stored without it; an EAP-Message
// has no meaning in accounting, and no server gets it either.
//
// Rules: SP4
func TestWhatIsStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, "", roomy)
		b.owner.set(holding)
		malformed := b.entry(s1Start, func(p *radius.Packet) {
			p.Add(rfc2865.VendorSpecific_Type, []byte{0, 0, 1, 55, 17, 200, 1, 2}) // an MS-MPPE-Recv-Key of 200 octets
		})
		if err := malformed.Packet.Parse11(malformed.Packet.Packet); err != nil {
			t.Fatal(err)
		}
		b.handOver(malformed, b.entry(s2Start, func(p *radius.Packet) { p.Add(rfc2869.EAPMessage_Type, []byte{2, 7, 0, 4}) }))
		pass(time.Second)
		wantList(t, "acknowledged", b.owner.acknowledged(), "s1/start: unreadable", "s2/start")
		b.wantMetric("refused_total", "unreadable", 1)
		for _, sent := range b.owner.transmissions() {
			if v := view(t, sent.packet); v.HasEAP() || v.HasMessageAuthenticator() || v.HasProxyState() {
				t.Error("expected a packet without EAP-Message, Message-Authenticator and Proxy-State")
			}
		}
	})
}

// A newer Interim-Update or Stop replaces the Interim-Updates of its session that wait, and
// neither its Start nor what is being sent.
//
// Rules: SP8
func TestReplaceInterims(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _, release := blockedBed(t)
		limits := roomy
		limits.ReplaceInterims = true
		b.SetLimits(limits)
		release()
		pass(time.Second)
		b.add(s1Start)
		for _, s := range series("s1", 3) {
			b.add(s)
			pass(time.Second)
		}
		wantList(t, "kept after the third Interim-Update", b.kept(), "other/start", "s1/start", "s1/interim3")
		b.owner.end(Answered) // other/start
		pass(time.Second)
		b.owner.end(Answered) // s1/start
		pass(time.Second)
		b.add(series("s1", 5)[3:]...) // in one commit, while the third is being sent
		pass(time.Second)
		wantList(t, "kept after the fifth", b.kept(), "s1/interim3", "s1/interim5")
		b.add(s1Stop, series("s2", 1)[0])
		pass(time.Second)
		wantList(t, "kept after the Stop", b.kept(), "s1/interim3", "s1/stop", "s2/interim1")
		b.owner.set(answering)
		b.owner.end(Answered)
		pass(time.Minute)
		b.wantRecords("at the end", 0)
		b.wantMetric("replaced_total", "", 4)
		if got := b.owner.acknowledged(); len(got) != 9 {
			t.Errorf("expected that all nine records were acknowledged, got %q", got)
		}
	})
}

// A record that could not be stored replaces nothing.
//
// Rules: SP8, SP10
func TestNothingIsReplacedWhenTheDiskFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, current, release := blockedBed(t)
		limits := roomy
		limits.ReplaceInterims = true
		b.SetLimits(limits)
		release()
		b.add(series("s1", 1)...)
		pass(time.Second)
		current().fail(errNoSpace)
		b.add(s1Stop)
		pass(time.Second)
		current().fail(nil)
		pass(time.Minute)
		wantList(t, "kept", b.kept(), "other/start", "s1/interim1")
		b.wantMetric("replaced_total", "", 0)
	})
}

// A commit that fails although it has written does not have a copy acknowledged that came meanwhile:
// the record is about to be removed.
//
// Rules: SP2, SP7
func TestCopyOfARecordThatIsWrittenAndRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := closedBed(t, "", roomy)
		current := b.disturbed()
		b.owner.set(holding)
		b.Start(t.Context())
		st := current()
		release := st.block()
		t.Cleanup(release)
		st.mu.Lock()
		st.after = func(error) error { return errors.New("input/output error") } // of the sync
		st.mu.Unlock()
		b.add(s1Start)
		synctest.Wait()
		st.mu.Lock()
		st.after = nil // of the commits that follow
		st.mu.Unlock()
		b.handOver(b.again(s1Start, "copy"))
		release()
		pass(5 * time.Second)
		got := b.owner.acknowledged()
		if want := b.kept(); slices.Contains(got, "copy") != (len(want) == 1) {
			t.Errorf("acknowledged %q, and the spool has %q", got, want)
		}
		wantList(t, "acknowledged", got, "s1/start: disk", "copy")
	})
}
