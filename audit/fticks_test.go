package audit

import (
	"encoding/json"
	"strings"
	"testing"

	"layeh.com/radius"

	"radsec-gw/metrics"
)

func TestFTicks(t *testing.T) {
	ticks := func(c *Config) {
		c.Requests, c.Federation, c.Country, c.Institution, c.Station = false, "eduroam", "DE", "1example", Full
	}
	if got := logged(t, ticks, login(t, "bob@Example.ORG", radius.CodeAccessAccept)); !strings.HasSuffix(got,
		` level=INFO msg="F-TICKS/eduroam/1.0#REALM=example.org#VISCOUNTRY=DE#VISINST=1example#CSI=02-00-5e-00-53-01#RESULT=OK#"`+"\n") {
		t.Errorf("an accepted login: %q", got)
	}
	got := logged(t, func(c *Config) { ticks(c); c.Institution, c.Station, c.JSON = "", None, true }, login(t, "bob@a#RESULT=OK#\"\n", radius.CodeAccessReject))
	var line struct{ Msg string }
	if err := json.Unmarshal([]byte(got), &line); err != nil || line.Msg != "F-TICKS/eduroam/1.0#REALM=a?result?ok???#VISCOUNTRY=DE#CSI=undisclosed#RESULT=FAIL#" {
		t.Errorf("a rejected login of a hostile realm: %q (%v)", got, err)
	}
	domain := login(t, `EXAMPLE\bob`, radius.CodeAccessAccept)
	domain.Realm = []byte("EXAMPLE")
	if got := logged(t, ticks, domain); !strings.Contains(got, "#REALM=example#") {
		t.Errorf("a login in the form of a Windows domain: %q, want the realm that it is routed by", got)
	}
	silent := login(t, "bob@example.org", radius.CodeAccessReject)
	silent.Fate = metrics.FateServerSilent
	for name, e := range map[string]*Event{
		"a challenge": login(t, "bob@example.org", radius.CodeAccessChallenge), "a user without realm": login(t, "bob", radius.CodeAccessAccept),
		"what the gateway rejects itself": silent, "nothing at all": {},
	} {
		if got := logged(t, ticks, e); got != "" {
			t.Errorf("%s makes the tick %q, want none", name, got)
		}
	}
}
