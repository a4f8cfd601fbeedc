package relay

import (
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"radsec-gw/audit"
	"radsec-gw/logs"
)

// At level debug the log has each step of a request: what arrived, what was sent where and
// why, each retransmission, what the server sent and why it was ignored, and the end. At
// level info it has none, and a request that began at level info has no number.
//
// Fault O5, O6.
func TestDebugHasEachStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		w := new(written)
		out := logs.NewOutput(w)
		var level slog.LevelVar
		b.relay.hub = audit.New(audit.Config{Out: out, Log: slog.New(slog.DiscardHandler), Metrics: b.relay.metrics, Level: level.Level, User: audit.None, Realm: audit.Full})
		defer out.Close()
		defer b.relay.hub.Close()
		conn, _ := b.open()
		b.net.setServe(func(s []byte) [][]byte { return accept(s) })
		b.send(conn, makeRequest(4, 1, 1, nemo)) // at level info
		synctest.Wait()
		level.Set(slog.LevelDebug)
		b.relay.hub.LevelChanged()
		sent := 0
		b.net.setServe(func(s []byte) [][]byte {
			bad := accept(s)[0]
			bad[4] ^= 1
			if sent++; sent == 1 {
				return [][]byte{bad}
			}
			return [][]byte{bad, accept(s)[0], accept(s)[0]}
		})
		b.send(conn, makeRequest(4, 2, 2, nemo))
		pass(5 * time.Second)
		w.mu.Lock()
		text := w.b.String()
		w.mu.Unlock()
		var got []string
		for line := range strings.Lines(text) {
			_, msg, _ := strings.Cut(line, `msg="`)
			msg, rest, _ := strings.Cut(msg, `"`)
			if _, result, ok := strings.Cut(rest, " result="); ok {
				msg += " " + strings.Fields(result)[0]
			}
			got = append(got, msg)
			if !strings.Contains(rest, "request ignored") && !strings.Contains(rest, "result=unmatched") && !strings.Contains(rest, " request=1 client=campus ") {
				t.Errorf("expected the request's number and client in the line %q", line)
			}
			if strings.Contains(line, "nemo") {
				t.Errorf("expected no user in the line %q", line)
			}
		}
		want := []string{"request arrived", "request sent", "reply ignored bad_response_authenticator", "request sent again",
			"reply ignored bad_response_authenticator", "reply received accepted", "request ended", "reply ignored unmatched"}
		if strings.Join(got, "; ") != strings.Join(want, "; ") {
			t.Errorf("the log has\n%s\nexpected\n%s\nof\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"), text)
		}
		if !strings.Contains(text, `because="the only server of its route"`) || !strings.Contains(text, " transmission=2") || !strings.Contains(text, " unverified_replies=2 ") {
			t.Errorf("expected why the server was chosen, the second transmission and the replies that did not verify in\n%s", text)
		}
	})
}
