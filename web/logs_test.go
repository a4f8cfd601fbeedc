package web

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestTheLevelChangesOverHTTPWithTheToken(t *testing.T) {
	b := newBed(t, func(c *Config) { c.Token = []byte(token) })
	log := slog.New(b.logs).With("server", "radius-a")
	log.Debug("before")
	status, body, _ := b.ask("PUT", "/loglevel", "DEBUG\n", "Authorization", "Bearer "+token)
	if status != 200 || body != "debug\n" {
		t.Errorf("PUT answered %d %q, want 200 debug", status, body)
	}
	log.Debug("after")
	if text := b.printed.String(); strings.Contains(text, "before") || !strings.Contains(text, "msg=after server=radius-a") {
		t.Errorf("logged %q, want what came after the change only", text)
	}
	for _, row := range []struct {
		body, header string
		want         int
	}{{"error", "", 401}, {"loud", "Bearer " + token, 400}, {strings.Repeat("x", 1000), "Bearer " + token, 413}, {"", "Bearer " + token, 400}} {
		if status, _, _ := b.ask("PUT", "/loglevel", row.body, "Authorization", row.header); status != row.want {
			t.Errorf("PUT of %.10q with %q: %d, want %d", row.body, row.header, status, row.want)
		}
	}
	if status, _, _ := newBed(t, nil).ask("PUT", "/loglevel", "debug"); status != 403 {
		t.Errorf("PUT where there is no token: %d, want 403", status)
	}
}

func TestTheLevelHoldsLinesBack(t *testing.T) {
	b := newBed(t, nil)
	b.logs.SetLevel(slog.LevelError)
	log := slog.New(b.logs)
	log.Info("quiet")
	log.Warn("kept for the page", "why", "it is a warning")
	if b.printed.Len() != 0 {
		t.Errorf("logged %q at level error", b.printed)
	}
	if r := b.logs.Recent(); len(r) != 1 || r[0].Message != "kept for the page" {
		t.Errorf("the page has %v, want the warning", r)
	}
}

// What a flood left out is told even if nothing follows it.
func TestAFloodsEndIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		log := slog.New(NewLogs(slog.NewTextHandler(&out, nil), slog.LevelInfo))
		for range floodBurst + 50 {
			log.Warn("refused")
		}
		<-time.After(floodTell + time.Second)
		synctest.Wait()
		if want := "lines=refused left_out=50"; !strings.Contains(out.String(), want) {
			t.Errorf("the log ends without %q: %s", want, out.String()[len(out.String())-200:])
		}
	})
}

// A flood of one message is cut, others go through, and the next line says how many were left out.
func TestAFloodOfOneMessageIsCounted(t *testing.T) {
	b := newBed(t, nil)
	now := time.Unix(1_000_000, 0)
	b.logs.shared.now = func() time.Time { return now }
	log := slog.New(b.logs)
	for i := range floodBurst + 50 {
		log.Warn("refused", "peer", fmt.Sprint(i))
	}
	log.Warn("another")
	if n := strings.Count(b.printed.String(), "msg=refused"); n != floodBurst {
		t.Errorf("%d lines of the flood were let through, want %d", n, floodBurst)
	}
	if !strings.Contains(b.printed.String(), "msg=another") {
		t.Error("the flood hid another message")
	}
	now = now.Add(time.Second)
	log.Warn("refused", "peer", "last")
	if !strings.Contains(b.printed.String(), "peer=last left_out=50") {
		t.Error("the next line does not say that 50 were left out")
	}
}

func TestThePageKeepsTheLastWarnings(t *testing.T) {
	b := newBed(t, nil)
	now := time.Now()
	b.logs.shared.now = func() time.Time { now = now.Add(time.Second); return now }
	log := slog.New(b.logs).With("server", "radius-a").WithGroup("g")
	for i := range keepEntries + 7 {
		log.Warn("w", "n", i, "long", strings.Repeat("é", 1000))
	}
	r := b.logs.Recent()
	if len(r) != keepEntries {
		t.Fatalf("%d kept, want %d", len(r), keepEntries)
	}
	for i, e := range r {
		if want := fmt.Sprint(keepEntries + 6 - i); e.Fields[1].Value != want || e.Fields[0] != (LogField{"server", "radius-a"}) {
			t.Fatalf("entry %d is %v, want number %s of radius-a: the newest first", i, e.Fields[:2], want)
		}
		if n := len(e.Fields[2].Value); n > longestText+len("…") || strings.Contains(e.Fields[2].Value, "\ufffd") {
			t.Fatalf("a value of %d octets is kept, or one cut within a character", n)
		}
	}
}
