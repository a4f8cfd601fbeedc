package audit

import (
	"bufio"
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"layeh.com/radius"

	"radsec-gw/metrics"
)

func TestATapSeesWhatItsFilterMatches(t *testing.T) {
	h, path := socket(t)
	if h.Listening() || h.Watching() {
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
	last := login(t, "eve@example.org", radius.CodeAccessChallenge) // all three match it: the end of the transcript
	h.Ended(last)
	for _, row := range []struct {
		name                    string
		from                    *bufio.Reader
		arrived, ended, unknown int
	}{{"the client's", fromClient, 3, 5, 1}, {"the realm's", fromRealm, 2, 5, 0}, {"the user's", fromUser, 1, 2, 0}} {
		text := ""
		for !strings.Contains(text, "Access-Challenge") {
			line, err := row.from.ReadString('\n')
			if err != nil {
				t.Fatalf("%s tap ended with %v after\n%s", row.name, err, text)
			}
			text += line
		}
		arrived, ended, unknown := strings.Count(text, " -> Access-Request"), strings.Count(text, " <- relayed"), strings.Count(text, " <- bad_length")
		if arrived != row.arrived || ended != row.ended || unknown != row.unknown {
			t.Errorf("%s tap saw %d requests, %d ends, %d malformed; want %d, %d, %d:\n%s", row.name, arrived, ended, unknown, row.arrived, row.ended, row.unknown, text)
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
			t.Fatal("a tap whose subscriber has closed is still attached")
		}
	}
}

// A tap that reads too slowly misses packets, reports how many, and delays nothing.
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
	if h.Listening() || h.Watching() {
		t.Error("after the last tap was removed the hub still listens")
	}
}
