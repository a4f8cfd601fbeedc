package audit

import (
	"fmt"
	"strings"
	"testing"

	"layeh.com/radius"

	"radsec-gw/metrics"
	"radsec-gw/wire"
)

// A tap shows the packet with its attributes by name, and none of its secrets.
func TestATapShowsPacketsWithTheirSecretsMasked(t *testing.T) {
	e := login(t, "bob@example.org", radius.CodeAccessReject)
	arrived := (&tapEvent{event: *e, request: e.Request.Packet}).text()
	for _, want := range []string{
		"campus 192.0.2.9:40001 -> Access-Request identifier 7,", `User-Name = "bob@example.org"`, "User-Password = [hidden], 32 octets",
		`Calling-Station-Id = "02-00-5E-00-53-01"`, "CHAP-Password = [hidden], 17 octets", "Cisco-AVPair = [hidden], 20 octets",
		`MS-CHAP-Domain = "DOMAIN"`, "NAS-Port = 17", "NAS-IP-Address = 192.0.2.4", "EAP-Message = EAP-Response identifier 5, 12 octets, GTC",
		"Message-Authenticator = 0x",
	} {
		if !strings.Contains(arrived, want) {
			t.Errorf("the request lacks %q:\n%s", want, arrived)
		}
	}
	ended := (&tapEvent{event: *e, request: e.Request.Packet[:20], ended: true}).text()
	for _, want := range []string{"<- relayed, Access-Request identifier 7, server radius-a auth, 1.2 ms: Access-Reject identifier 7,",
		"Error-Cause = 502", `Reply-Message = "no!"`} {
		if !strings.Contains(ended, want) {
			t.Errorf("the end lacks %q:\n%s", want, ended)
		}
	}
	malformed := (&tapEvent{event: Event{Client: "campus", Fate: metrics.FateBadLength}, ended: true}).text()
	if !strings.Contains(malformed, "<- bad_length, 0.0 ms\n") {
		t.Errorf("a malformed packet reads %q", malformed)
	}
}

// In RADIUS/1.1 the Token identifies packets, and a User-Password is as long as the password:
// its length is not shown.
// Rules: P121
func TestATapOfRADIUS11(t *testing.T) {
	p := []byte{1, 0, 0, 27, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 7, 'h', 'e', 'l', 'l', 'o'}
	for _, row := range []struct {
		event tapEvent
		want  string
	}{
		{tapEvent{request: p, v11: true}, "-> Access-Request Token 258, 27 octets\n    User-Password = [hidden]\n"},
		{tapEvent{request: p[:20], v11: true, ended: true}, "<- relayed, Access-Request Token 258, 0.0 ms\n"},
		{tapEvent{request: p}, "-> Access-Request identifier 0, 27 octets\n    User-Password = [hidden], 5 octets\n"},
	} {
		if got := row.event.text(); !strings.HasSuffix(got, row.want) {
			t.Errorf("the tap prints %q, expected it to end with %q", got, row.want)
		}
	}
}

// Nothing that this package writes holds a password, a key or the answer to a challenge.
func TestNoSecretIsEverShown(t *testing.T) {
	var all strings.Builder
	for _, code := range []wire.Code{radius.CodeAccessAccept, radius.CodeAccessReject} {
		e := login(t, "bob@example.org", code)
		all.WriteString((&tapEvent{event: *e, request: e.Request.Packet}).text())
		all.WriteString((&tapEvent{event: *e, request: e.Request.Packet, ended: true}).text())
		for _, json := range []bool{false, true} {
			all.WriteString(logged(t, func(c *Config) {
				c.JSON, c.User, c.Station, c.Federation, c.Country = json, Full, Full, "eduroam", "DE"
			}, e))
		}
	}
	for _, hidden := range []string{secret, password, psk, "chap-password-of", "MS-CHAP challenge", "gtc-pwd",
		fmt.Sprintf("%x", password), fmt.Sprintf("%x", psk), fmt.Sprintf("%x", "chap-password-of"), fmt.Sprintf("%x", "gtc-pwd")} {
		if strings.Contains(all.String(), hidden) {
			t.Errorf("%q was shown", hidden)
		}
	}
}

// Whatever a packet holds, it prints as whole lines without control characters.
func FuzzPacketText(f *testing.F) {
	f.Add(login(f, "bob@example.org", radius.CodeAccessAccept).Request.Packet)
	f.Add(login(f, "\x1b[2J\n", radius.CodeAccessReject).Reply)
	f.Add([]byte{1, 1, 0, 26, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 26, 6, 0, 0, 0, 9})
	f.Add([]byte{1, 1, 0, 24, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 79, 4, 9, 9})
	f.Add([]byte{1, 1, 0, 23, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 245, 3, 1})
	f.Fuzz(func(t *testing.T, p []byte) {
		for _, r := range packetText(p, len(p)%2 == 0) {
			if r != '\n' && r < ' ' || r == 0x7f {
				t.Fatalf("a control character in %q", packetText(p, len(p)%2 == 0))
			}
		}
	})
}
