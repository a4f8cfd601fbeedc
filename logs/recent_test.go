package logs

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A flood of connections from many sources is one entry, and displaces nothing that the
// gateway says about itself or about its servers.
func TestFloodDoesNotDisplaceOtherEntries(t *testing.T) {
	inBubble(t, Config{}, func(l *Log, _ func() string) {
		log := slog.New(l)
		log.Error("reload refused, the current configuration stays in use", "what", "configuration", "mistake", "gw.toml:7: expected a name")
		log.Error("the server is down", "server", "radius-a", "port", "auth")
		for i := range 60 {
			time.Sleep(time.Second)
			log.Warn("RadSec connection refused", "peer", fmt.Sprintf("192.0.2.%d:4711", i), "result", "not_tls")
		}
		for i := range 3 * keepEntries {
			time.Sleep(time.Second)
			log.Warn("RadSec connection refused", "peer", "192.0.2.200:1", "result", fmt.Sprint("kind ", i))
		}
		var flood, reload, server bool
		for _, e := range l.Recent() {
			reload = reload || e.Source == SourceGateway && e.Fields[1].Value == "gw.toml:7: expected a name"
			server = server || e.Source == SourceServer && e.Message == "the server is down"
		}
		if !reload || !server {
			t.Errorf("the refused reload is kept: %v, the server that is down: %v; expected both", reload, server)
		}
		if n := len(l.Recent()); n != keepEntries+2 {
			t.Errorf("%d entries, expected %d of peers and two others", n, keepEntries+2)
		}
		time.Sleep(time.Second)
		log.Warn("RadSec connection refused", "peer", "192.0.2.7:1", "result", "not_tls", "suppressed", 5)
		e := l.Recent()[0]
		flood = e.Count == 6 && e.Fields[0].Value == "192.0.2.7:1"
		if !flood {
			t.Errorf("got %+v, expected six lines and the last of them", e)
		}
	})
}

// Entries of the same time keep their order from one call to the next: the page does not
// flicker.
func TestEntriesOfOneTimeKeepTheirOrder(t *testing.T) {
	inBubble(t, Config{}, func(l *Log, _ func() string) {
		for i := range 8 {
			slog.New(l).Warn("the server is down", "server", fmt.Sprint("radius-", i))
		}
		for range 8 {
			for i, e := range l.Recent() {
				if want := fmt.Sprint("radius-", i); e.Fields[0].Value != want {
					t.Errorf("entry %d is of %s, expected %s", i, e.Fields[0].Value, want)
				}
			}
		}
	})
}

// Repeats are folded into one entry with their number, their first and last time, and the
// fields of the last; what differs in its cause is an entry of its own.
func TestRepeatsAreFolded(t *testing.T) {
	inBubble(t, Config{}, func(l *Log, _ func() string) {
		log := slog.New(l).With("server", "radius-a").WithGroup("g")
		begin := time.Now()
		for i := range 7 {
			log.Warn("w", "n", i, "port", "auth")
			time.Sleep(time.Minute)
		}
		log.Warn("w", "port", "acct")
		list := l.Recent()
		if len(list) != 2 || list[0].Count != 1 {
			t.Fatalf("got %+v, expected one entry for each port, the last first", list)
		}
		e := list[1]
		if e.Count != 7 || e.First != begin || e.Last != begin.Add(6*time.Minute) || e.Fields[1] != (Field{"n", "6"}) || e.Source != SourceServer {
			t.Errorf("got %+v, expected seven lines over six minutes, and the fields of the last", e)
		}
	})
}

// What peers choose is kept within bounds, and cannot act on a terminal or on the
// direction of text.
func TestClip(t *testing.T) {
	for _, row := range []struct{ in, want string }{
		{"CN=ap-1,O=Müller", "CN=ap-1,O=Müller"},
		{strings.Repeat("é", 1000), strings.Repeat("é", longestText/2) + "…"},
		{"a\x1b[2Jb\x00c\nd", `a\x1b[2Jb\x00c\nd`},
		{"C1: \u009b2J", `C1: \u009b2J`},
		{"abc\u202edcb\u2066", `abc\u202edcb\u2066`},
		{"\xff\xfe", `\xff\xfe`},
		{"�", "�"},
	} {
		if got := Clip(row.in); got != row.want {
			t.Errorf("Clip(%q) is %q, expected %q", row.in, got, row.want)
		}
	}
}

// The entries of one source and level are bounded: the one that recurred last stays.
func TestEntriesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recent{}
		for i := range 10 * keepEntries {
			time.Sleep(time.Second)
			r.add(Entry{Last: time.Now(), Level: slog.LevelWarn, Message: fmt.Sprint(i)})
			r.add(Entry{Last: time.Now(), Level: slog.LevelWarn, Message: "recurs"})
		}
		list := r.list()
		if len(list) != keepEntries {
			t.Fatalf("%d entries, expected %d", len(list), keepEntries)
		}
		for i, e := range list {
			if e.Message == "recurs" {
				if e.Count != 10*keepEntries {
					t.Errorf("it has recurred %d times, expected %d", e.Count, 10*keepEntries)
				}
				return
			}
			if i > 1 {
				t.Fatalf("the entry that recurs is not the first")
			}
		}
	})
}
