package logs

import (
	"encoding/binary"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// address is one of many.
func address(n uint32) netip.Addr {
	return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, 0x0a000000+n)))
}

// crowd is Sources on fake time, and what it logs.
type crowd struct {
	t       *testing.T
	s       *sink
	sources *Sources
}

func newCrowd(t *testing.T) *crowd {
	s := &sink{}
	return &crowd{t, s, NewSources(plainText(s), "connections")}
}

// refused logs so many lines about a source, and returns how many were written.
func (c *crowd) refused(n int, source netip.Addr) (written int) {
	for range n {
		if c.sources.Log(source, slog.LevelWarn, "refused", func() []any { return []any{"peer", source} }) {
			written++
		}
	}
	return written
}

// A flood by one source is cut, and does not hide what another does.
func TestAFloodByOneSourceDoesNotHideAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t)
		flooder, other := address(1), address(2)
		if n := c.refused(10_000, flooder); n != sourceEach.burst {
			t.Errorf("%d lines of the flood at once, expected %v", n, sourceEach.burst)
		}
		if n := c.refused(6, other); n != 6 {
			t.Errorf("%d of 6 lines of another source during the flood, expected all", n)
		}
		c.s.take()
		for i := range 60 { // a minute of it
			if n := c.refused(1000, flooder); n > 2 {
				t.Errorf("second %d: %d lines of the flood, expected two at most", i, n)
			}
			if i%10 == 9 && c.refused(1, other) != 1 {
				t.Errorf("second %d: the other's line was suppressed", i)
			}
			time.Sleep(time.Second)
		}
		if got := c.s.take(); !strings.Contains(got, "peer=10.0.0.1 suppressed=") || strings.Contains(got, "peer=10.0.0.2 suppressed=") {
			t.Errorf("logged %s\nexpected lines of the flood, and of it only, to say that others were suppressed", got)
		}
	})
}

// Lines of one kind about a source do not hide those of another kind.
func TestKindsOfLinesAreApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t)
		c.refused(1000, address(1))
		if !c.sources.Log(address(1), slog.LevelInfo, "accepted", func() []any { return nil }) {
			t.Error("a flood of refusals hides that the same source was accepted")
		}
	})
}

// Twenty sources flood and use up what is there for all: the reserve is for others.
func TestManyFloodersLeaveTheReserve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t)
		for second := range 120 {
			for n := range uint32(20) {
				c.refused(50, address(n))
			}
			if got := c.refused(6, address(1000+uint32(second))); got != 6 {
				t.Fatalf("second %d: %d of 6 lines of another source during the flood, expected all", second, got)
			}
			time.Sleep(time.Second)
		}
	})
}

// Any number of sources makes a bounded number of lines and takes a bounded
// amount of memory.
func TestSourcesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t)
		const each = 2 * sourceKeys
		seconds, written := 60, 0
		if testing.Short() {
			seconds = 10
		}
		for second := range uint32(seconds) {
			for n := range uint32(each) {
				written += c.refused(1, address(second*each+n))
			}
			time.Sleep(time.Second)
		}
		if n := len(c.sources.lines.entries); n != sourceKeys {
			t.Errorf("%d sources are remembered, expected %d", n, sourceKeys)
		}
		if n := c.sources.lines.order.Len(); n != sourceKeys {
			t.Errorf("%d sources are listed, expected %d", n, sourceKeys)
		}
		took := time.Duration(seconds) * time.Second
		bound := sourceAll.burst + sourceReserve.burst + int(took/sourceAll.every+took/sourceReserve.every)
		if written > bound || written < bound/2 {
			t.Errorf("%d lines in %v, expected at most %v, and more than half of that", written, took, bound)
		}
		// All that was suppressed is reported, of forgotten sources too.
		time.Sleep(sourceReport + time.Second)
		synctest.Wait()
		reported := 0
		for line := range strings.Lines(c.s.take()) {
			reported += suppressedIn(t, line)
		}
		if want := seconds*each - written; reported != want {
			t.Errorf("%d lines are reported as suppressed, expected %d", reported, want)
		}
	})
}

func suppressedIn(t *testing.T, line string) (n int) {
	_, after, found := strings.Cut(strings.TrimSpace(line), "suppressed=")
	for _, digit := range after {
		if digit < '0' || digit > '9' {
			t.Fatalf("the line %q does not end with a number", line)
		}
		n = 10*n + int(digit-'0')
	}
	if found && n == 0 {
		t.Errorf("the line %q reports none", line)
	}
	return n
}

// What was suppressed is reported when nothing else happens, with who caused most of it.
func TestSourcesReportInTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t)
		c.refused(100, address(1))
		c.refused(1000, address(2))
		c.s.take()
		time.Sleep(sourceReport + time.Second)
		synctest.Wait()
		want := `msg="log lines about connections were suppressed; the metrics count them all" sources=2 most_from=10.0.0.2 suppressed=1000`
		if got := c.s.take(); got != want {
			t.Errorf("logged %q, expected %q", got, want)
		}
		time.Sleep(time.Hour)
		if got := c.s.take(); got != "" {
			t.Errorf("logged %q later, expected nothing more", got)
		}
	})
}

// Lines that recur are written once for each source and period.
func TestRareSources(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sink{}
		rare := NewRareSources(plainText(s), "unlisted sources", time.Hour)
		written := map[netip.Addr]int{}
		for range 3 * 3600 / 5 { // two balancers look every five seconds, for three hours
			for _, from := range []netip.Addr{address(1), address(2)} {
				if rare.Log(from, slog.LevelWarn, "unlisted", func() []any { return []any{"peer", from} }) {
					written[from]++
				}
			}
			time.Sleep(5 * time.Second)
		}
		for from, n := range written {
			if n != 3 {
				t.Errorf("%d lines about %v in three hours, expected 3", n, from)
			}
		}
		if n := strings.Count(s.take(), "\n") + 1; n > 9 {
			t.Errorf("%d lines in three hours, expected 6 and up to 3 that report others", n)
		}
	})
}
