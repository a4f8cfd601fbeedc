package spool

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"radsec-gw/spool/detail"
)

// ignoring is servers that answer all records but those of the session "bad", although they are
// up.
func ignoring(s sample) (Result, time.Duration) {
	if s.session == "bad" {
		return Ignored, 5 * time.Second
	}
	return answering(s)
}

// asideNames returns the records in the file of those that were set aside.
func (b *bed) asideNames(file string) (names []string) {
	b.t.Helper()
	text, err := os.ReadFile(filepath.Join(b.Directory(), file))
	if err != nil {
		return []string{err.Error()}
	}
	in := detail.NewReader(bytes.NewReader(text))
	for {
		d, err := in.Next()
		if err == io.EOF {
			return names
		}
		if err != nil {
			names = append(names, "unreadable")
			continue
		}
		if d.Client != "campus" || d.Address.String() != "192.0.2.9:40000" {
			b.t.Errorf("expected a record of campus from 192.0.2.9:40000, got %s, %v", d.Client, d.Address)
		}
		names = append(names, sampleOf(d.Packet).String())
	}
}

// A record that the servers ignore is tried a number of times, with longer and longer pauses, and
// then moved to a file for people. Its session goes on then, and others all the time.
//
// Rules: SP12
func TestSetAside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, "", roomy)
		b.owner.set(ignoring)
		bad := sample{"bad", start, 0}
		b.add(bad, s1Start)
		pass(time.Second)
		b.add(sample{"bad", interim, 1})
		for i := range 100 {
			b.add(sample{fmt.Sprint("s", i+10), start, 0})
		}
		pass(10 * time.Second)
		b.wantRecords("after 10 s, when others were answered", 2)
		pass(4 * time.Minute)
		b.wantRecords("after the third attempt of each", 0)
		var at []time.Duration
		for _, sent := range b.owner.transmissions() {
			if sent.sample == bad {
				at = append(at, sent.at.Round(time.Second))
			}
		}
		if want := []time.Duration{0, 35 * time.Second, 100 * time.Second}; !slices.Equal(at, want) {
			t.Errorf("expected attempts at %v, got %v", want, at)
		}
		wantList(t, "set aside", b.asideNames(asideName), "bad/start", "bad/interim1")
		b.wantMetric("set_aside_total", "", 2)
		if n := b.inStore(); n != 0 {
			t.Errorf("expected nothing in the store, got %d records", n)
		}
		b.wantLog("records were set aside that no server answers")
		if info, err := os.Stat(filepath.Join(b.Directory(), asideName)); err != nil || info.Mode().Perm() != 0o600 && runtime.GOOS != "windows" {
			t.Errorf("expected a file for this user alone, got %v, %v", info, err)
		}
		wantList(t, "kept", b.kept())
	})
}

// A record that all servers are silent about is never set aside, however often it is sent.
//
// Rules: SP12
func TestSilenceSetsNothingAside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, "", roomy)
		b.owner.set(silent)
		b.add(s1Start, s2Start)
		pass(24 * time.Hour)
		if n := len(b.owner.transmissions()); n < 1000 {
			t.Errorf("expected more than 1000 attempts, got %d", n)
		}
		b.wantRecords("after a day of silence", 2)
		b.wantMetric("set_aside_total", "", 0)
	})
}

// A silence that falls while the servers answer others counts like an ignored record.
//
// Rules: SP12
func TestSilentOnlyAboutOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, "", roomy)
		b.owner.set(func(s sample) (Result, time.Duration) {
			if s.session == "bad" {
				return Silent, 5 * time.Second
			}
			return answering(s)
		})
		b.add(sample{"bad", start, 0})
		for i := range 400 {
			b.add(sample{fmt.Sprint("s", i), start, 0})
			pass(time.Second)
		}
		b.wantMetric("set_aside_total", "", 1)
		wantList(t, "set aside", b.asideNames(asideName), "bad/start")
		b.wantRecords("at the end", 0)
	})
}

// The file is as large as the spool may be, at most. Until it is moved away the records stay in
// the spool, and the clients' records are stored all the same.
//
// Rules: SP11, SP12
func TestSetAsideIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := roomy
		limits.MaxOctets, limits.Attempts = 5000, 1
		b := newBed(t, "", limits)
		b.owner.set(ignoring)
		path := filepath.Join(b.Directory(), asideName)
		if err := os.WriteFile(path, bytes.Repeat([]byte("#\n\n"), 1600), 0o600); err != nil {
			t.Fatal(err)
		}
		b.add(sample{"bad", start, 0}, sample{"bad", stop, 0})
		pass(time.Minute)
		b.wantRecords("while the file is full", 2)
		b.wantLog("the file of records that were set aside is as large as max_octets")
		b.wantMetric("set_aside_total", "", 0)
		b.add(s1Start)
		pass(time.Second)
		if got := b.owner.acknowledged(); !slices.Contains(got, "s1/start") || b.State().Err != nil {
			t.Errorf("expected that others are stored, got %q, %v", got, b.State().Err)
		}
		if text := b.text.String(); strings.Contains(text, "cannot write") || strings.Contains(text, "can write again") {
			t.Errorf("expected no log line about the store, got %q", text)
		}
		os.Remove(path)
		pass(time.Minute)
		wantList(t, "set aside", b.asideNames(asideName), "bad/start", "bad/stop")
		b.wantRecords("at the end", 0)
	})
}

// A record that was cut off when a process ended must neither go on in the next record, nor be
// taken for a whole one.
//
// Rules: SP9, SP12
func TestSetAsideAfterHalfARecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := roomy
		limits.Attempts = 1
		b := newBed(t, "", limits)
		b.owner.set(ignoring)
		half := "Mon Jan  3 04:05:06 2000\n\tUser-Name = \"bob\"\n\tAcct-Sess"
		if err := os.WriteFile(filepath.Join(b.Directory(), asideName), []byte(half), 0o600); err != nil {
			t.Fatal(err)
		}
		b.add(sample{"bad", start, 0})
		pass(time.Minute)
		wantList(t, "set aside", b.asideNames(asideName), "unreadable", "bad/start")
	})
}

// A file that cannot be written keeps the records in the spool; it is tried again.
//
// Rules: SP10, SP12
func TestSetAsideFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := roomy
		limits.Attempts = 1
		b := newBed(t, "", limits)
		b.owner.set(ignoring)
		path := filepath.Join(b.Directory(), asideName)
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
		b.add(sample{"bad", start, 0})
		pass(time.Hour)
		b.wantRecords("while the file cannot be written", 1)
		b.wantLog("records that no server answers cannot be set aside")
		if n, err := b.Drop(func(*Kept) bool { return true }); n != 0 || err != nil {
			t.Errorf("expected that it cannot be dropped meanwhile, got %d, %v", n, err)
		}
		if n := len(b.owner.transmissions()); n != 1 {
			t.Errorf("expected that it is not sent meanwhile, got %d transmissions", n)
		}
		os.Remove(path)
		pass(2 * time.Second)
		wantList(t, "set aside", b.asideNames(asideName), "bad/start")
		b.wantRecords("at the end", 0)
	})
}

// Records set aside whose removal fails are not written twice, and are removed later.
//
// Rules: SP10, SP12
func TestSetAsideOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, current, release := blockedBed(t)
		limits := roomy
		limits.Attempts = 1
		b.SetLimits(limits)
		release()
		pass(time.Second)
		current().fail(errors.New("input/output error"))
		b.owner.end(Ignored)
		pass(time.Minute)
		current().fail(nil)
		pass(time.Minute)
		wantList(t, "set aside", b.asideNames(asideName), "other/start")
		wantList(t, "kept", b.kept())
		b.wantRecords("at the end", 0)
	})
}
