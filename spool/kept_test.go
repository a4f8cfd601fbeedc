package spool

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2868"
)

// People see all records, with what is known of their delivery.
//
// Rules: SP14
func TestEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, "", roomy)
		b.owner.set(holding)
		var all []string
		for i := range 2*atOnce + 10 {
			s := sample{fmt.Sprint("s", i), start, 0}
			b.add(s)
			all = append(all, s.String())
		}
		pass(time.Second)
		wantList(t, "kept", b.kept(), all...)
		var numbers []uint64
		sending := 0
		b.Each(5, func(k *Kept) bool {
			numbers = append(numbers, k.Number)
			return len(numbers) < 3
		})
		b.Each(0, func(k *Kept) bool {
			if k.Sending {
				sending++
			}
			return true
		})
		if !slices.Equal(numbers, []uint64{6, 7, 8}) || sending != 1 {
			t.Errorf("expected the numbers 6, 7, 8 after 5, and one record in flight, got %v, %d", numbers, sending)
		}
		if err := b.Each(1<<64-1, func(k *Kept) bool { t.Errorf("expected no record, got %d", k.Number); return true }); err != nil {
			t.Errorf("expected no error, got %v", err)
		}
		b.owner.end(Ignored)
		pass(time.Second)
		attempts := 0
		b.Each(0, func(k *Kept) bool { attempts += k.Attempts; return true })
		if attempts != 1 {
			t.Errorf("expected one attempt, got %d", attempts)
		}
		b.close()
		if err := b.Each(0, func(*Kept) bool { return true }); !errors.Is(err, ErrClosed) {
			t.Errorf("expected ErrClosed of a closed spool, got %v", err)
		}
	})
}

// Somebody who is slow to look at the records keeps none from being stored or sent.
//
// Rules: SP10, SP14
func TestSlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, "", roomy)
		b.owner.set(holding)
		b.add(s1Start)
		pass(time.Second)
		b.Each(0, func(*Kept) bool {
			b.owner.acknowledged()
			for i := range 3000 { // so many that the file grows
				b.add(sample{fmt.Sprint("s", i), start, 0})
			}
			pass(time.Minute)
			if n := len(b.owner.acknowledged()); n != 3000 {
				t.Errorf("expected that 3000 records are stored meanwhile, got %d", n)
			}
			if got := b.owner.end(Answered); !slices.Equal(got, []string{"s1/start"}) {
				t.Errorf("expected that a record is sent meanwhile, got %q", got)
			}
			return false
		})
	})
}

// Records can be dropped, but neither those that are being sent, nor those that are gone.
//
// Rules: SP14
func TestDrop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, "", roomy)
		b.owner.set(holding)
		b.add(s1Start, s1Interim, s1Stop, s2Start)
		pass(time.Second)
		n, err := b.Drop(func(k *Kept) bool { return k.Number != 3 })
		if n != 2 || err != nil {
			t.Errorf("expected that two records are dropped, and not the one that is being sent, got %d, %v", n, err)
		}
		wantList(t, "kept at once", b.kept(), "s1/start", "s1/stop")
		b.wantMetric("dropped_total", "operator", 2)
		b.owner.set(answering)
		b.owner.end(Answered)
		pass(time.Second)
		wantList(t, "sent", b.owner.names(), "s1/start", "s1/stop")
		b.close()
		again := newBed(t, b.Directory(), roomy)
		wantList(t, "kept by the next process", again.kept())
	})
}

// Whoever wants the records sent now need not wait: not for the end of a pause, nor for the next
// attempt, nor for a route.
//
// Rules: SP5, SP14
func TestSendNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, "", roomy)
		results := map[string]Result{"s1": Silent, "s2": Ignored, "s3": NoRoute}
		b.owner.set(func(s sample) (Result, time.Duration) { return results[s.session], time.Second })
		b.add(s1Start, s2Start, sample{"s3", start, 0})
		pass(50 * time.Second)
		b.owner.set(answering)
		for b.State().Sending > 0 {
			pass(time.Second)
		}
		b.owner.transmissions()
		b.SendNow()
		pass(time.Second)
		got := b.owner.names()
		slices.Sort(got)
		wantList(t, "sent at once", got, "s1/start", "s2/start", "s3/start")
		b.wantRecords("at the end", 0)
	})
	synctest.Test(t, func(t *testing.T) { // attempts count anew
		b := newBed(t, "", roomy)
		b.owner.set(ignoring)
		b.add(sample{"bad", start, 0})
		for range 10 {
			pass(8 * time.Second)
			b.SendNow()
		}
		b.wantMetric("set_aside_total", "", 0)
	})
}

// export returns what people would write into a file.
func (b *bed) export() []byte {
	b.t.Helper()
	var text []byte
	if err := b.Each(0, func(k *Kept) bool { text = k.Detail().Append(text); return true }); err != nil {
		b.t.Fatal(err)
	}
	return text
}

// What was exported can be imported into another spool, as what it was, and counts as sent
// before. Hidden attributes stay readable in the spool that they come from.
//
// Rules: SP4, SP14
func TestExportAndImport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, "", roomy)
		b.owner.set(holding)
		for _, s := range []sample{s1Start, s1Stop, s2Start} {
			e := b.entry(s)
			e.Waited = time.Hour
			e.Record.Arrived = time.Now().Add(-time.Hour)
			b.handOver(e)
		}
		pass(time.Second)
		text := b.export()
		other := newBed(t, "", roomy)
		other.owner.set(holding)
		got, err := other.Import(t.Context(), bytes.NewReader(text), "nobody")
		if err != nil || got.Stored != 3 || got.Refused+got.Unread+got.Skipped != 0 {
			t.Errorf("expected that three records are stored, got %+v, %v", got, err)
		}
		wantList(t, "kept", other.kept(), "s1/start", "s1/stop", "s2/start")
		pass(time.Second)
		sent := other.owner.transmissions()
		if len(sent) != 1 || !sent[0].resent || sent[0].record.Client != "campus" {
			t.Fatalf("expected one record of campus that was sent before, got %+v", sent)
		}
		if delay := delayOf(t, sent[0]); delay < 3600 || delay > 3603 {
			t.Errorf("expected an Acct-Delay-Time of an hour and a moment, got %d s", delay)
		}
		again, err := other.Import(t.Context(), bytes.NewReader(text), "nobody")
		if err != nil || again.Stored != 3 {
			t.Errorf("expected that they count as stored when they are imported again, got %+v, %v", again, err)
		}
		other.wantRecords("imported twice", 3)
		other.wantMetric("duplicates_total", "", 3)
	})
}

// What cannot be understood or stored is counted, with the first reasons, and does not end the
// import.
//
// Rules: SP14
func TestImportOfNonsense(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := roomy
		b := newBed(t, "", limits)
		b.owner.set(holding)
		b.add(s1Start, s1Stop, s2Start)
		pass(time.Second)
		text := string(b.export())
		b.Drop(func(*Kept) bool { return true })
		b.owner.end(Answered)
		pass(time.Second)
		limits.MaxRecords = 2
		b.SetLimits(limits)
		text = strings.Replace(text, "\n\n", "\n\tMade-Up-Attribute = 7\n\n", 1)
		got, err := b.Import(t.Context(), strings.NewReader("nonsense\n\n"+text+strings.Repeat("more\n\n", 30)), "nobody")
		if err != nil || got.Stored != 2 || got.Refused != 1 || got.Unread != 31 || got.Skipped != 1 || len(got.Why) != maxReasons {
			t.Errorf("expected 2 stored, 1 refused, 31 unread, 1 attribute skipped and %d reasons, got %+v, %v", maxReasons, got, err)
		}
	})
}

// A record without a client's name is of the client that is named beside the file; one without
// a time arrived now.
//
// Rules: SP14
func TestImportWithoutNameAndTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, "", roomy)
		b.owner.set(holding)
		text := "Thu Jan  1 00:00:00 1970\n\tAcct-Session-Id = \"s9\"\n\tAcct-Status-Type = Stop\n\tNAS-Identifier = \"ap-7\"\n\tTimestamp = 0\n\n"
		got, err := b.Import(t.Context(), strings.NewReader(text), "branch")
		if err != nil || got.Stored != 1 {
			t.Fatalf("expected that the record is stored, got %+v, %v", got, err)
		}
		b.Each(0, func(k *Kept) bool {
			if k.Record.Client != "branch" || time.Since(k.Record.Arrived) > time.Minute {
				t.Errorf("expected a record of branch that arrived now, got %+v", k.Record)
			}
			return true
		})
		pass(time.Second)
		if delay := delayOf(t, b.owner.transmissions()[0]); delay > 2 {
			t.Errorf("expected no delay, got %d s", delay)
		}
		b.wantRecords("which is not too old", 1)
	})
}

// An import whose end nobody waits for ends, also while the disk hangs, and so does one from a
// file that cannot be read.
//
// Rules: SP10, SP14
func TestImportThatIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from := newBed(t, "", roomy)
		from.owner.set(holding)
		for i := range 2 * atOnce {
			from.add(sample{fmt.Sprint("s", i), start, 0})
		}
		pass(time.Second)
		text := from.export()
		b, _, release := blockedBed(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		begin := time.Now()
		if _, err := b.Import(ctx, bytes.NewReader(text), ""); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != time.Minute {
			t.Errorf("expected that it ends with its context, got %v after %v", err, time.Since(begin))
		}
		release()
		pass(time.Second)
		broken := io.MultiReader(bytes.NewReader(text[:len(text)/2]), &brokenReader{})
		if got, err := b.Import(t.Context(), broken, ""); err == nil || !strings.Contains(err.Error(), "input/output error") || got.Stored == 0 {
			t.Errorf("expected the error of reading, and what came before it, got %+v, %v", got, err)
		}
		b.close()
		if _, err := b.Import(t.Context(), bytes.NewReader(text), ""); !errors.Is(err, ErrClosed) {
			t.Errorf("expected ErrClosed of a closed spool, got %v", err)
		}
	})
}

type brokenReader struct{}

func (*brokenReader) Read([]byte) (int, error) { return 0, errors.New("input/output error") }

// Records that were set aside come back into the spool, and their file is gone; hidden attributes
// included.
//
// Rules: SP4, SP12
func TestRetryAside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := roomy
		limits.Attempts = 1
		b := newBed(t, "", limits)
		b.owner.set(ignoring)
		hidden := b.entry(sample{"bad", start, 0}, func(p *radius.Packet) {
			p.Authenticator = [16]byte{} // what accounting is encrypted with
			rfc2868.TunnelPassword_Set(p, 1, []byte("hello"))
		})
		b.handOver(hidden, b.entry(sample{"bad", stop, 0}))
		pass(time.Minute)
		wantList(t, "set aside", b.asideNames(asideName), "bad/start", "bad/stop")
		b.owner.transmissions()
		b.owner.set(holding)
		got, err := b.RetryAside(t.Context())
		if err != nil || got.Stored != 2 || got.Refused+got.Unread+got.Skipped != 0 {
			t.Errorf("expected that two records are back, got %+v, %v", got, err)
		}
		for _, name := range []string{asideName, retryName} {
			if _, err := os.Stat(filepath.Join(b.Directory(), name)); err == nil {
				t.Errorf("expected that %s is gone", name)
			}
		}
		b.SendNow()
		pass(time.Second)
		out := b.owner.take()
		if len(out) != 1 || sampleOf(out[0].Packet).String() != "bad/start" {
			t.Fatalf("expected that the first record is sent, got %d", len(out))
		}
		p, err := radius.Parse(out[0].Packet, b.keyText(t))
		if err != nil {
			t.Fatal(err)
		}
		p.Authenticator = [16]byte{}
		if _, password := rfc2868.TunnelPassword_Get(p, p); string(password) != "hello" {
			t.Errorf("expected that the hidden attribute is readable under the spool's secret, got %q", password)
		}
		if again, err := b.RetryAside(t.Context()); err != nil || again.Stored != 0 {
			t.Errorf("expected nothing more, got %+v, %v", again, err)
		}
	})
}

// keyText returns the spool's secret.
func (b *bed) keyText(t *testing.T) []byte {
	t.Helper()
	secret, err := readSecret(b.Directory())
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// A file of which something cannot be stored is kept; the next call goes on with it, and with
// what was set aside meanwhile.
//
// Rules: SP9, SP12
func TestRetryAsideThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := roomy
		limits.Attempts = 1
		b := newBed(t, "", limits)
		b.owner.set(ignoring)
		b.add(series("bad", 3)...)
		pass(time.Minute)
		b.owner.set(holding)
		limits.MaxRecords = 1
		b.SetLimits(limits)
		if got, err := b.RetryAside(t.Context()); err != nil || got.Stored != 1 || got.Refused != 2 {
			t.Errorf("expected one record stored and two refused, got %+v, %v", got, err)
		}
		wantList(t, "set aside again", b.asideNames(asideName), "bad/interim2", "bad/interim3")
		b.SetLimits(roomy)
		if got, err := b.RetryAside(t.Context()); err != nil || got.Stored != 2 {
			t.Errorf("expected that two records are stored, got %+v, %v", got, err)
		}
		wantList(t, "kept", b.kept(), "bad/interim1", "bad/interim2", "bad/interim3")
	})
}
