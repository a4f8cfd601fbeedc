package udpback

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// lockedText is what was written since the last look.
type lockedText struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lockedText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lockedText) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.text.Reset()
	return strings.TrimSpace(l.text.String())
}

// A flood of one cause is a line at once and a line when the minute is over, with
// how many more there were; nothing is left untold.
func TestComplaintTellsWhatItHeldBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out lockedText
		log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey || a.Key == slog.LevelKey {
				return slog.Attr{}
			}
			return a
		}}))
		start := time.Now()
		var c Complaint
		say := func(what string) {
			c.Say(time.Since(start)+1, func() Line { return Line{log, slog.LevelWarn, what, []any{"k", 1}} })
		}
		expect := func(when string, lines ...string) {
			t.Helper()
			synctest.Wait()
			got := out.take()
			if want := strings.Join(lines, "\n"); got != want {
				t.Errorf("%s: logged %q, expected %q", when, got, want)
			}
		}
		for i := range 500 {
			say(fmt.Sprint("m", i))
		}
		expect("at once", "msg=m0 k=1 left_out=0")
		pass(61 * time.Second)
		expect("after a minute", "msg=m1 k=1 left_out=498")
		say("m500")
		expect("soon after that", []string{}...)
		pass(61 * time.Second)
		expect("after the second minute", "msg=m500 k=1 left_out=0")
		pass(time.Hour)
		expect("when nothing comes any more", []string{}...)
		say("m501")
		expect("much later", "msg=m501 k=1 left_out=0")
	})
}
