package audit

import (
	"encoding/json"
	"io"
	"regexp"
	"strings"
	"sync"
	"testing"

	"layeh.com/radius"
)

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

// Configure and Ended may be called at the same time.
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

func BenchmarkNobodyListens(b *testing.B) {
	h, _ := newHub(b, io.Discard, func(c *Config) { c.Requests = false })
	for b.Loop() {
		if h.Listening() {
			b.Fatal("somebody listens")
		}
	}
}
