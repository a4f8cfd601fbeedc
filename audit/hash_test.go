package audit

import (
	"strings"
	"testing"

	"layeh.com/radius"
)

// What is printed for a user or a station is what stands in the log, however it is written.
func TestShownIsWhatTheLogHas(t *testing.T) {
	for _, show := range []Show{Hash, Full, Cut, None} {
		e := login(t, "Bob@Example.ORG", radius.CodeAccessAccept)
		line := logged(t, func(c *Config) { c.User, c.Station = show, show }, e)
		cfg := &Config{User: show, Station: show, Salt: []byte("salt")}
		user, station := ShownUser(cfg, "Bob@Example.ORG"), ShownStation(cfg, "02-00-5E-00-53-01")
		if show == None {
			if user != "" || station != "" {
				t.Errorf("shown as none: got %q and %q, expected nothing", user, station)
			}
			continue
		}
		for _, want := range []string{" user=" + user + " ", " station=" + station + " "} {
			if !strings.Contains(line, want) {
				t.Errorf("the line is %q, expected %q in it", line, want)
			}
		}
	}
	cfg := &Config{Salt: []byte("salt")}
	if a, b := ShownUser(cfg, "bob@example.org"), ShownUser(cfg, "BOB@example.org"); a != b || len(a) != 16 {
		t.Errorf("got the hashes %q and %q, expected the same one of 16 digits", a, b)
	}
	if a, b := ShownStation(cfg, "0200.5e00.5301"), ShownStation(cfg, "02:00:5E:00:53:01"); a != b || len(a) != 16 {
		t.Errorf("got the hashes %q and %q, expected the same one of 16 digits", a, b)
	}
	if ShownUser(cfg, "bob") == ShownUser(&Config{Salt: []byte("pepper")}, "bob") {
		t.Error("two salts give the same hash, expected two")
	}
}
