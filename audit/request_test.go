package audit

import (
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
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
		got := logged(t, func(c *Config) { c.User, c.Station = row.user, row.station }, accepted)
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
	if got := logged(t, func(c *Config) { c.User = Cut }, domain); !strings.Contains(got, " realm=EXAMPLE station=") {
		t.Errorf("a user in the form of a Windows domain reads %q", got)
	}
	rejected := login(t, "bob", radius.CodeAccessReject)
	rejected.Fate, rejected.Server, rejected.Tries = metrics.FateNoRoute, "", 0
	if got := logged(t, nil, rejected); !strings.Contains(got, " fate=no_route reply=Access-Reject error_cause=502 ") || strings.Contains(got, "server=") {
		t.Errorf("a refused request reads %q", got)
	}
	unverified := login(t, "bob", radius.CodeAccessReject)
	unverified.Fate, unverified.Unverified, unverified.UnverifiedWhy, unverified.UnverifiedFrom = metrics.FateServerUnverified, 5, metrics.ReplyBadResponseAuthenticator, "radius-a"
	if got := logged(t, nil, unverified); !strings.Contains(got, " fate=server_unverified ") || !strings.HasSuffix(got, " unverified_replies=5 unverified_because=bad_response_authenticator unverified_from=radius-a\n") {
		t.Errorf("a request whose server has another secret reads %q", got)
	}
	malformed := &Event{Client: "campus", Kind: wire.KindOther, Fate: metrics.FateBadLength}
	if got := logged(t, nil, malformed); !strings.Contains(got, "kind=other fate=bad_length ms=0.000 tries=0") {
		t.Errorf("a malformed packet reads %q", got)
	}
}

// Whatever a User-Name holds, a line is one line, with the fields that it should have.
func TestHostileNamesStayInTheirField(t *testing.T) {
	names := []string{"a b@c d", "x\ny=z", `"},{"fate":"relayed`, "tab\t", "\x00\xff\xfe@\x80", `back\slash`, "é@ü", "=", "\u2028@\u202e"}
	for _, name := range names {
		e := login(t, name, radius.CodeAccessAccept)
		text := logged(t, func(c *Config) { c.User = Full }, e)
		if strings.Count(text, "\n") != 1 || strings.ContainsFunc(text[:len(text)-1], func(r rune) bool { return r < ' ' || r == 0x7f }) {
			t.Errorf("%q makes the text line %q", name, text)
		}
		if !strings.HasSuffix(text, " server=radius-a port=auth fate=relayed reply=Access-Accept ms=1.234 tries=1\n") {
			t.Errorf("%q changes the rest of the line: %q", name, text)
		}
		line := logged(t, func(c *Config) { c.User, c.JSON = Full, true }, e)
		var got map[string]any
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatalf("%q makes %q, which is not JSON: %v", name, line, err)
		}
		if at, err := time.Parse(time.RFC3339, fmt.Sprint(got["time"])); err != nil || time.Since(at).Abs() > time.Minute {
			t.Errorf("the time reads %v: %v", got["time"], err)
		}
		if got["fate"] != "relayed" || got["user"] != strings.ToValidUTF8(name, "\ufffd") && !strings.Contains(name, "\xff") || got["ms"] != 1.234 {
			t.Errorf("%q reads back as %v", name, got)
		}
	}
}

func BenchmarkLine(b *testing.B) {
	h, _ := newHub(b, io.Discard, nil)
	e := login(b, "bob@example.org", radius.CodeAccessAccept)
	b.ReportAllocs()
	for b.Loop() {
		h.Ended(e)
	}
}

// No name that a peer has chosen reaches a terminal as a command.
//
// Fault S8.
func TestControlCharactersInNamesAreEscaped(t *testing.T) {
	const name = "a\u009b31mb\u007fc\u202ed\x1b[0m\r\n"
	for _, asJSON := range []bool{true, false} {
		line := string(appendValue(nil, name, asJSON))
		if strings.ContainsAny(line, "\u009b\u007f\u202e\x1b\r\n") {
			t.Errorf("JSON %v: %q", asJSON, line)
		}
		if got, err := strconv.Unquote(line); !asJSON && (err != nil || got != name) {
			t.Errorf("%s means %q (%v)", line, got, err)
		}
	}
}
