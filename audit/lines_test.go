package audit

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
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
	p := newPrivacy(&Config{Salt: []byte("one")})
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
	other := newPrivacy(&Config{Salt: []byte("two")})
	if string(other.userName(s, []byte("bob@example.org"))) == "" {
		t.Error("no hash")
	}
	s2 := other.pool.Get().(*scratch)
	if string(other.userName(s2, []byte("bob@example.org"))) == user("bob@example.org") {
		t.Error("another salt gives the same hash")
	}
	if a, b := newPrivacy(&Config{}), newPrivacy(&Config{}); a.key == b.key {
		t.Error("the salt made at start is the same twice")
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

func TestFTicks(t *testing.T) {
	ticks := func(c *Config) {
		c.Requests, c.Federation, c.Country, c.Institution, c.Station = false, "eduroam", "DE", "1example", Full
	}
	if got := told(t, ticks, login(t, "bob@Example.ORG", radius.CodeAccessAccept)); !strings.HasSuffix(got,
		` level=INFO msg="F-TICKS/eduroam/1.0#REALM=example.org#VISCOUNTRY=DE#VISINST=1example#CSI=02-00-5e-00-53-01#RESULT=OK#"`+"\n") {
		t.Errorf("an accepted login: %q", got)
	}
	got := told(t, func(c *Config) { ticks(c); c.Institution, c.Station, c.JSON = "", None, true }, login(t, "bob@a#RESULT=OK#\"\n", radius.CodeAccessReject))
	var line struct{ Msg string }
	if err := json.Unmarshal([]byte(got), &line); err != nil || line.Msg != "F-TICKS/eduroam/1.0#REALM=a?result?ok???#VISCOUNTRY=DE#CSI=undisclosed#RESULT=FAIL#" {
		t.Errorf("a rejected login of a hostile realm: %q (%v)", got, err)
	}
	silent := login(t, "bob@example.org", radius.CodeAccessReject)
	silent.Fate = metrics.FateServerSilent
	for name, e := range map[string]*Event{
		"a challenge": login(t, "bob@example.org", radius.CodeAccessChallenge), "a user without realm": login(t, "bob", radius.CodeAccessAccept),
		"what the gateway rejects itself": silent, "nothing at all": {},
	} {
		if got := told(t, ticks, e); got != "" {
			t.Errorf("%s makes the tick %q, want none", name, got)
		}
	}
}

// RFC 5424 §6 over UDP, a message for each tick.
func TestFTicksToSyslog(t *testing.T) {
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	e := login(t, "bob@example.org", radius.CodeAccessAccept)
	if got := told(t, func(c *Config) {
		c.Requests, c.Federation, c.Country, c.Syslog = false, "eduroam", "DE", server.LocalAddr().String()
	}, e, e); got != "" {
		t.Errorf("the log has %q, want nothing", got)
	}
	want := regexp.MustCompile(`^<134>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \S+ radsec-gw \d+ - - F-TICKS/eduroam/1\.0#REALM=example\.org#VISCOUNTRY=DE#CSI=[0-9a-f]{16}#RESULT=OK#$`)
	server.SetReadDeadline(time.Now().Add(10 * time.Second))
	for range 2 {
		b := make([]byte, 2048)
		n, _, err := server.ReadFrom(b)
		if err != nil || !want.Match(b[:n]) {
			t.Errorf("came %q (%v), want %v", b[:n], err, want)
		}
	}
}

// stuck is a disk that takes nothing until it is let go.
type stuck struct {
	begun sync.Once
	first chan struct{}
	let   chan struct{}
	taken int
}

func (s *stuck) Write(p []byte) (int, error) {
	s.begun.Do(func() { close(s.first) })
	<-s.let
	s.taken += strings.Count(string(p), "\n")
	return len(p), nil
}

// A disk that does not keep up costs lines, which are counted, and never makes a request wait.
func TestWhatTheDiskDoesNotTakeIsDroppedAndCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := &stuck{first: make(chan struct{}), let: make(chan struct{})}
		h := newHub(t, nil, func(c *Config) { c.Out = disk })
		ctx, cancel := newContext(t)
		ended := make(chan struct{})
		go func() { h.Run(ctx); close(ended) }()
		e := login(t, "bob@example.org", radius.CodeAccessAccept)
		h.Ended(e)
		<-disk.first
		const n = 3 * lineBuffer / 150
		for range n {
			h.Ended(e)
		}
		close(disk.let)
		cancel()
		<-ended
		dropped := counter(t, h)
		if dropped == 0 || disk.taken+dropped != n+1 {
			t.Errorf("%d lines written and %d dropped of %d, want some dropped and each in one of the two", disk.taken, dropped, n+1)
		}
	})
}

// Lines of one busy moment go out together.
func TestLinesAreGathered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		writes := 0
		h := newHub(t, nil, func(c *Config) {
			c.Out = writerFunc(func(p []byte) (int, error) { writes++; return len(p), nil })
		})
		ctx, cancel := newContext(t)
		ended := make(chan struct{})
		go func() { h.Run(ctx); close(ended) }()
		for range 100 {
			h.Ended(login(t, "bob", radius.CodeAccessAccept))
		}
		synctest.Wait()
		<-time.After(2 * gatherLines)
		synctest.Wait()
		if writes != 1 {
			t.Errorf("%d writes for 100 lines of one moment, want 1", writes)
		}
		cancel()
		<-ended
	})
}

func TestALineThatCannotBeWrittenIsCounted(t *testing.T) {
	h := newHub(t, nil, func(c *Config) {
		c.Out = writerFunc(func([]byte) (int, error) { return 0, errors.New("the disk is full") })
	})
	h.Ended(login(t, "bob", radius.CodeAccessAccept))
	h.requests.lines.write()
	if n := counter(t, h); n != 1 {
		t.Errorf("%d lines counted as dropped, want 1", n)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

var _ io.Writer = writerFunc(nil)

func BenchmarkLine(b *testing.B) {
	h := newHub(b, &safeBuffer{}, nil)
	h.requests.lines.out = io.Discard
	e := login(b, "bob@example.org", radius.CodeAccessAccept)
	b.ReportAllocs()
	for b.Loop() {
		h.Ended(e)
		if len(h.requests.lines.filling) > lineBuffer/2 {
			h.requests.lines.write()
		}
	}
}

func BenchmarkNobodyListens(b *testing.B) {
	h := newHub(b, &safeBuffer{}, func(c *Config) { c.Requests = false })
	for b.Loop() {
		if h.Listening() {
			b.Fatal("somebody listens")
		}
	}
}
