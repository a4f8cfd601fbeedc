package audit

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"layeh.com/radius"

	"radsec-gw/metrics"
	"radsec-gw/wire"
)

// A tap shows the packet with its attributes by name, and none of its secrets.
func TestATapShowsPacketsWithTheirSecretsMasked(t *testing.T) {
	e := login(t, "bob@example.org", radius.CodeAccessReject)
	came := (&seen{event: *e, request: e.Request.Packet}).text()
	for _, want := range []string{
		"campus 192.0.2.9:40001 -> Access-Request identifier 7,", `User-Name = "bob@example.org"`, "User-Password = [hidden], 32 octets",
		`Calling-Station-Id = "02-00-5E-00-53-01"`, "CHAP-Password = [hidden], 17 octets", "Cisco-AVPair = [hidden], 20 octets",
		`MS-CHAP-Domain = "DOMAIN"`, "NAS-Port = 17", "NAS-IP-Address = 192.0.2.4", "EAP-Message = EAP-Response identifier 5, 12 octets, GTC",
		"Message-Authenticator = 0x",
	} {
		if !strings.Contains(came, want) {
			t.Errorf("the request lacks %q:\n%s", want, came)
		}
	}
	ended := (&seen{event: *e, request: e.Request.Packet[:20], ended: true}).text()
	for _, want := range []string{"<- relayed, Access-Request identifier 7, server radius-a auth, 1.2 ms: Access-Reject identifier 7,",
		"Error-Cause = 502", `Reply-Message = "no!"`} {
		if !strings.Contains(ended, want) {
			t.Errorf("the end lacks %q:\n%s", want, ended)
		}
	}
	malformed := (&seen{event: Event{Client: "campus", Fate: metrics.FateBadLength}, ended: true}).text()
	if !strings.Contains(malformed, "<- bad_length, 0.0 ms\n") {
		t.Errorf("a malformed packet reads %q", malformed)
	}
}

// In RADIUS/1.1 the Token tells packets apart, and a User-Password is as long as
// the password: its length is not shown.
// Rules: P121
func TestATapOfRADIUS11(t *testing.T) {
	p := []byte{1, 0, 0, 27, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 7, 'h', 'e', 'l', 'l', 'o'}
	for _, row := range []struct {
		seen seen
		want string
	}{
		{seen{request: p, v11: true}, "-> Access-Request Token 258, 27 octets\n    User-Password = [hidden]\n"},
		{seen{request: p[:20], v11: true, ended: true}, "<- relayed, Access-Request Token 258, 0.0 ms\n"},
		{seen{request: p}, "-> Access-Request identifier 0, 27 octets\n    User-Password = [hidden], 5 octets\n"},
	} {
		if got := row.seen.text(); !strings.HasSuffix(got, row.want) {
			t.Errorf("the tap prints %q, expected it to end with %q", got, row.want)
		}
	}
}

// Nothing that this package writes holds a password, a key or the answer to a challenge.
func TestNoSecretIsEverTold(t *testing.T) {
	var all strings.Builder
	for _, code := range []wire.Code{radius.CodeAccessAccept, radius.CodeAccessReject} {
		e := login(t, "bob@example.org", code)
		all.WriteString((&seen{event: *e, request: e.Request.Packet}).text())
		all.WriteString((&seen{event: *e, request: e.Request.Packet, ended: true}).text())
		for _, json := range []bool{false, true} {
			all.WriteString(told(t, func(c *Config) {
				c.JSON, c.User, c.Station, c.Federation, c.Country = json, Full, Full, "eduroam", "DE"
			}, e))
		}
	}
	for _, hidden := range []string{secret, password, psk, "chap-password-of", "MS-CHAP challenge", "gtc-pwd",
		fmt.Sprintf("%x", password), fmt.Sprintf("%x", psk), fmt.Sprintf("%x", "chap-password-of"), fmt.Sprintf("%x", "gtc-pwd")} {
		if strings.Contains(all.String(), hidden) {
			t.Errorf("%q was told", hidden)
		}
	}
}

// socket is a gateway's socket with its hub.
func socket(t *testing.T) (h *Hub, path string) {
	t.Helper()
	h, _ = newHub(t, io.Discard, func(c *Config) { c.Requests = false })
	leaks := goleak.IgnoreCurrent()
	path = filepath.Join(t.TempDir(), "tap.sock")
	l, err := ListenTap(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		h.ServeTaps(ctx, l)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		if _, err := os.Stat(path); err == nil {
			t.Error("the socket is still there")
		}
		goleak.VerifyNone(t, leaks)
	})
	return h, path
}

// look connects with a filter and waits until it is attached.
func look(t *testing.T, path, filter string) (net.Conn, *bufio.Reader) {
	t.Helper()
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(10 * time.Second))
	fmt.Fprintln(c, filter)
	r := bufio.NewReader(c)
	if line, err := r.ReadString('\n'); err != nil || !strings.HasPrefix(line, "showing ") {
		t.Fatalf("attached with %s: %q, %v", filter, line, err)
	}
	return c, r
}

func TestTheSocketIsTheOwnersOnly(t *testing.T) {
	_, path := socket(t)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 || info.Mode()&os.ModeSocket == 0 {
		t.Errorf("the socket's mode is %v (%v), want a socket of mode 0600", info.Mode(), err)
	}
	if _, err := ListenTap(path); err == nil || !strings.Contains(err.Error(), "another gateway") {
		t.Errorf("a second gateway: %v, want that another listens", err)
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".tap*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// What a gateway left that was killed does not keep the next from listening.
func TestAStaleSocketIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tap.sock")
	old, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	old.SetUnlinkOnClose(false)
	old.Close()
	l, err := ListenTap(path)
	if err != nil {
		t.Fatalf("over a stale socket: %v", err)
	}
	l.Close()
}

func TestATapSeesWhatItsFilterTakes(t *testing.T) {
	h, path := socket(t)
	if h.Listening() || h.Tapping() {
		t.Fatal("somebody listens before a tap is attached")
	}
	byClient, fromClient := look(t, path, `{"client":"campus"}`)
	_, fromRealm := look(t, path, `{"realm":"EXAMPLE.org"}`)
	_, fromUser := look(t, path, `{"user":"eve@example.org","client":"campus"}`)
	for _, user := range []string{"bob@example.org", "eve@example.org", "eve@other"} {
		e := login(t, user, radius.CodeAccessAccept)
		h.Arrived(e)
		h.Ended(e)
	}
	domain := login(t, `EXAMPLE.ORG\eve`, radius.CodeAccessAccept)
	domain.Realm = []byte("EXAMPLE.ORG")
	h.Ended(domain)
	other := login(t, "bob@example.org", radius.CodeAccessAccept)
	other.Client = "elsewhere"
	h.Ended(other)
	h.Ended(&Event{Client: "campus", Fate: metrics.FateBadLength})
	last := login(t, "eve@example.org", radius.CodeAccessChallenge) // all three take it: the end of the transcript
	h.Ended(last)
	for _, row := range []struct {
		name                 string
		from                 *bufio.Reader
		came, ended, unknown int
	}{{"the client's", fromClient, 3, 5, 1}, {"the realm's", fromRealm, 2, 5, 0}, {"the user's", fromUser, 1, 2, 0}} {
		text := ""
		for !strings.Contains(text, "Access-Challenge") {
			line, err := row.from.ReadString('\n')
			if err != nil {
				t.Fatalf("%s tap ended with %v after\n%s", row.name, err, text)
			}
			text += line
		}
		came, ended, unknown := strings.Count(text, " -> Access-Request"), strings.Count(text, " <- relayed"), strings.Count(text, " <- bad_length")
		if came != row.came || ended != row.ended || unknown != row.unknown {
			t.Errorf("%s tap saw %d requests, %d ends, %d malformed; want %d, %d, %d:\n%s", row.name, came, ended, unknown, row.came, row.ended, row.unknown, text)
		}
	}
	byClient.Close()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.After(10 * time.Second)
	for len(*h.taps.Load()) == 3 {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("a tap that has gone is still attached")
		}
	}
}

// A tap that reads too slowly misses packets, is told how many, and holds nobody up.
func TestASlowTapMissesPackets(t *testing.T) {
	h, _ := newHub(t, io.Discard, func(c *Config) { c.Requests = false })
	slow, err := h.attach(Filter{})
	if err != nil {
		t.Fatal(err)
	}
	e := login(t, "bob@example.org", radius.CodeAccessAccept)
	for range tapQueue + 30 {
		h.Ended(e)
	}
	near, far := net.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	go slow.show(ctx, near)
	text := ""
	for r := bufio.NewReader(far); !strings.Contains(text, "not shown"); {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		text += line
	}
	if !strings.Contains(text, "(30 packets were not shown") {
		t.Errorf("said %q, want that 30 were not shown", text)
	}
	cancel()
	far.Close()
	slow.close()
	h.Ended(e)
	if h.Listening() || h.Tapping() {
		t.Error("after the last tap has gone somebody still listens")
	}
}

func TestNoMoreTapsThanTheGatewayTakes(t *testing.T) {
	_, path := socket(t)
	for range maxTaps {
		look(t, path, `{}`)
	}
	for filter, want := range map[string]string{"{}": errTooManyTaps.Error(), "not JSON": "expected a line of JSON", strings.Repeat("x", longestFilter): "expected a line of JSON"} {
		c, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(c, filter)
		c.SetReadDeadline(time.Now().Add(10 * time.Second))
		if got, _ := io.ReadAll(c); !strings.Contains(string(got), want) {
			t.Errorf("%.20q was answered %q, want %q", filter, got, want)
		}
		c.Close()
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
