package audit

import (
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"layeh.com/radius"

	"radsec-gw/metrics"
	"radsec-gw/wire"
)

// The fields after the time, as configured.
func TestALineForEachRequest(t *testing.T) {
	accepted := login(t, "Bob@Example.ORG", radius.CodeAccessAccept)
	for _, row := range []struct {
		name          string
		user, station Show
		want          string
	}{
		{"hashed", Hash, Hash, "realm=Example.ORG user=a6a86f36fa5f2fef station=6b2a5c2a1e2f9b50 "},
		{"in full", Full, Full, "realm=Example.ORG user=Bob@Example.ORG station=02-00-5E-00-53-01 "},
		{"cut", Cut, Cut, "realm=Example.ORG user=@Example.ORG station=02-00-5e "},
		{"none", None, None, "realm=Example.ORG "},
	} {
		got := told(t, func(c *Config) { c.User, c.Station = row.user, row.station }, accepted)
		stamp, got, _ := strings.Cut(got, " ")
		if at, err := time.Parse("time=2006-01-02T15:04:05.000Z07:00", stamp); err != nil || time.Since(at).Abs() > time.Minute {
			t.Errorf("%s: the time reads %q: %v", row.name, stamp, err)
		}
		want := "level=INFO msg=request client=campus peer=192.0.2.9:40001 kind=access " + row.want +
			"server=radius-a port=auth fate=relayed reply=Access-Accept ms=1.234 tries=1\n"
		if row.user == Hash {
			digits := regexp.MustCompile(`(user|station)=[0-9a-f]{16} `)
			if n := len(digits.FindAllString(got, -1)); n != 2 {
				t.Errorf("%s: %d hashes in %q, want two of 16 digits", row.name, n, got)
			}
			got, want = digits.ReplaceAllString(got, "$1 "), digits.ReplaceAllString(want, "$1 ")
		}
		if got != want {
			t.Errorf("%s: the line is\n%swant\n%s", row.name, got, want)
		}
	}
}

func TestALineOfAnythingElse(t *testing.T) {
	domain := login(t, `EXAMPLE\bob`, radius.CodeAccessAccept)
	domain.Realm = []byte("EXAMPLE") // routing found it
	if got := told(t, func(c *Config) { c.User = Cut }, domain); !strings.Contains(got, " realm=EXAMPLE station=") {
		t.Errorf("a user in the form of a Windows domain reads %q", got)
	}
	rejected := login(t, "bob", radius.CodeAccessReject)
	rejected.Fate, rejected.Server, rejected.Tries = metrics.FateNoRoute, "", 0
	if got := told(t, nil, rejected); !strings.Contains(got, " fate=no_route reply=Access-Reject error_cause=502 ") || strings.Contains(got, "server=") {
		t.Errorf("a refused request reads %q", got)
	}
	malformed := &Event{Client: "campus", Kind: wire.KindOther, Fate: metrics.FateBadLength}
	if got := told(t, nil, malformed); !strings.Contains(got, "kind=other fate=bad_length ms=0.000 tries=0") {
		t.Errorf("a malformed packet reads %q", got)
	}
}

// One user, one hash, in whichever letters and whichever form of a MAC address; another salt, another hash.
func TestHashesTellUsersApartAndNothingElse(t *testing.T) {
	p := newPrivacy(&Config{Salt: []byte("one")}, newKey())
	s := p.pool.Get().(*scratch)
	user := func(name string) string { return string(p.userName(s, []byte(name))) }
	station := func(id string) string { return string(p.stationID(s, []byte(id))) }
	if user("bob@example.org") != user("BOB@example.ORG") || user("bob@example.org") == user("eve@example.org") {
		t.Error("letters of either case make two users, or two users are one")
	}
	for _, form := range []string{"02:00:5e:00:53:01", "0200.5e00.5301", "02005E005301"} {
		if station(form) != station("02-00-5E-00-53-01") {
			t.Errorf("%s has another hash than the form of RFC 3580", form)
		}
	}
	if station("+49 30 12345") == station("+49 30 12346") {
		t.Error("two telephone numbers have one hash")
	}
	other := newPrivacy(&Config{Salt: []byte("two")}, newKey())
	if string(other.userName(s, []byte("bob@example.org"))) == "" {
		t.Error("no hash")
	}
	s2 := other.pool.Get().(*scratch)
	if string(other.userName(s2, []byte("bob@example.org"))) == user("bob@example.org") {
		t.Error("another salt gives the same hash")
	}
	if a, b := newKey(), newKey(); a == b {
		t.Error("the key made at start is the same twice")
	}
}

// Whatever a user calls himself, a line is one line, with the fields that it should have.
func TestHostileNamesStayInTheirField(t *testing.T) {
	names := []string{"a b@c d", "x\ny=z", `"},{"fate":"relayed`, "tab\t", "\x00\xff\xfe@\x80", `back\slash`, "é@ü", "=", "\u2028@\u202e"}
	for _, name := range names {
		e := login(t, name, radius.CodeAccessAccept)
		text := told(t, func(c *Config) { c.User = Full }, e)
		if strings.Count(text, "\n") != 1 || strings.ContainsFunc(text[:len(text)-1], func(r rune) bool { return r < ' ' || r == 0x7f }) {
			t.Errorf("%q makes the text line %q", name, text)
		}
		if !strings.HasSuffix(text, " server=radius-a port=auth fate=relayed reply=Access-Accept ms=1.234 tries=1\n") {
			t.Errorf("%q changes the rest of the line: %q", name, text)
		}
		line := told(t, func(c *Config) { c.User, c.JSON = Full, true }, e)
		var got map[string]any
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatalf("%q makes %q, which is no JSON: %v", name, line, err)
		}
		if at, err := time.Parse(time.RFC3339, fmt.Sprint(got["time"])); err != nil || time.Since(at).Abs() > time.Minute {
			t.Errorf("the time reads %v: %v", got["time"], err)
		}
		if got["fate"] != "relayed" || got["user"] != strings.ToValidUTF8(name, "\ufffd") && !strings.Contains(name, "\xff") || got["ms"] != 1.234 {
			t.Errorf("%q reads back as %v", name, got)
		}
	}
}

// The whole [log] table changes while requests end: form, what is shown, which
// lines there are. Hashes stay the same as long as the salt does, the one made
// at start included.
func TestConfigureWhileRequestsEnd(t *testing.T) {
	out := &safeBuffer{}
	var cfg Config
	h, end := newHub(t, out, func(c *Config) { c.Salt = nil; cfg = *c })
	e := login(t, "bob@example.org", radius.CodeAccessAccept)
	h.Ended(e)
	cfg.JSON, cfg.User = true, Full
	h.Configure(cfg)
	h.Ended(e)
	cfg.Requests = false
	h.Configure(cfg)
	if h.Listening() {
		t.Error("the hub listens when nothing is configured")
	}
	h.Ended(e)
	cfg.Federation, cfg.Country = "eduroam", "DE"
	h.Configure(cfg)
	if !h.Listening() {
		t.Error("the hub does not listen when F-Ticks are configured")
	}
	h.Ended(e)
	end()
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 3 {
		t.Fatalf("written %q, expected a line of text, one of JSON, and a tick", lines)
	}
	station := regexp.MustCompile(`station=([0-9a-f]{16}) `).FindStringSubmatch(lines[0])
	if station == nil || strings.Contains(lines[0], "bob") {
		t.Fatalf("the first line is %q, expected text with hashes", lines[0])
	}
	var line struct{ User, Station string }
	if err := json.Unmarshal([]byte(lines[1]), &line); err != nil || line.User != "bob@example.org" || line.Station != station[1] {
		t.Errorf("the second line is %q, expected JSON with the user in full and the station %s", lines[1], station[1])
	}
	if !strings.Contains(lines[2], "F-TICKS/eduroam/1.0#REALM=example.org#VISCOUNTRY=DE#CSI="+station[1]) {
		t.Errorf("the third line is %q, expected a tick of the station %s", lines[2], station[1])
	}
}

// Changing what is told, and telling, at the same time.
func TestConfigureIsSafeWhileEventsEnd(t *testing.T) {
	var cfg Config
	h, end := newHub(t, io.Discard, func(c *Config) { cfg = *c })
	e := login(t, "bob@example.org", radius.CodeAccessAccept)
	var running sync.WaitGroup
	for range 4 {
		running.Go(func() {
			for range 1000 {
				h.Ended(e)
			}
		})
	}
	for i := range 200 {
		c := cfg
		c.JSON, c.Requests, c.User = i%2 == 0, i%3 != 0, Show(i%4)
		h.Configure(c)
	}
	running.Wait()
	end()
}

func BenchmarkLine(b *testing.B) {
	h, _ := newHub(b, io.Discard, nil)
	e := login(b, "bob@example.org", radius.CodeAccessAccept)
	b.ReportAllocs()
	for b.Loop() {
		h.Ended(e)
	}
}

func BenchmarkNobodyListens(b *testing.B) {
	h, _ := newHub(b, io.Discard, func(c *Config) { c.Requests = false })
	for b.Loop() {
		if h.Listening() {
			b.Fatal("somebody listens")
		}
	}
}
