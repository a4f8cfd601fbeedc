package faults

import (
	"strings"
	"testing"
	"time"
)

// The limits follow from the timers: with the defaults a request moves on after
// at most 2.2 + 4.62 s (RFC 5080 §2.2.1), and a dead server is dead by its probes.
func TestLimits(t *testing.T) {
	timers := Full().Timers
	if got := timers.moveOn(); got != 6820*time.Millisecond {
		t.Errorf("moves on after %v at the latest, expected 6.82s", got)
	}
	if got := timers.detection(); got < 11*time.Second || got > 13*time.Second {
		t.Errorf("detected after %v at the latest, expected about 12s", got)
	}
}

func TestPrintSaysWhatWasMissed(t *testing.T) {
	var b strings.Builder
	if Print(&b, []Row{{"a", "b", "c", "d", true, false}, {"e", "f", "g", "h", false, true}}) || !strings.Contains(b.String(), "e      f     g         h         NO") {
		t.Errorf("expected a table with NO in its second row, and false; got\n%s", b.String())
	}
}
