package dtlsfront

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"radsec-gw/dtlsfront/handshake"
	"radsec-gw/metrics"
	"radsec-gw/sessions"
)

// counting is a Handler that counts requests as outstanding at once, or when they are flushed.
type counting struct {
	sessions.Handler
	atOnce          bool
	waiting, counts int
}

func (h *counting) packet() {
	if h.atOnce {
		h.counts++
	} else {
		h.waiting++
	}
}

func (h *counting) Flush() error {
	h.counts, h.waiting = h.counts+h.waiting, 0
	return nil
}

func (h *counting) Outstanding() int { return h.counts }

// As many requests as max_outstanding says are taken, however many of them arrive before a Flush
// and whether or not the Handler has counted these already; and no more.
// Rules: DT12
func TestOutstandingIsCountedOnce(t *testing.T) {
	const limit = 100
	f := new(Front)
	f.policy.Store(&policy{cfg: FrontConfig{MaxOutstanding: limit}})
	for name, atOnce := range map[string]bool{"at once": true, "when flushed": false} {
		h := &counting{atOnce: atOnce}
		s := &clientSink{h, &member{Session: new(Session), front: f}}
		taken := 0
		for range 2 * limit {
			s.m.unflushed++
			over, err := s.tooManyOutstanding()
			if err != nil {
				t.Fatal(err)
			}
			if !over {
				taken++
				h.packet()
			}
		}
		if taken != limit {
			t.Errorf("counted %s: %d requests are taken, expected %d", name, taken, limit)
		}
	}
}

// A client that tries again before its wrong key has timed out, or is displaced meanwhile, is logged
// with the identity of its PSK, and a warning. Without a PSK, one that tries again is nothing to warn
// of.
// Rules: P118
func TestUnprovedPSK(t *testing.T) {
	psk := &handshake.PSK{Identity: "nas-7"}
	for _, c := range []struct {
		cause  error
		how    Count
		psk    *handshake.PSK
		result metrics.Handshake
		level  slog.Level
	}{
		{errTimeout, HandshakeTimeout, psk, metrics.HandshakeTimeout, slog.LevelWarn},
		{errReplaced, HandshakeFailed, psk, metrics.HandshakeTimeout, slog.LevelWarn},
		{errDisplaced, HandshakeDisplaced, psk, metrics.HandshakeDisplaced, slog.LevelWarn},
		{errReplaced, HandshakeFailed, nil, metrics.HandshakePeerClosed, slog.LevelDebug},
	} {
		err := endedWith(c.cause, c.psk)
		if named := strings.Contains(err.Error(), `"nas-7"`); named != (c.psk != nil) || !errors.Is(err, c.cause) {
			t.Errorf("%v: the error is %v", c.cause, err)
		}
		if result, level := resultOf(c.how, err); result != c.result || level != c.level {
			t.Errorf("%v: it counts as %v at %v, expected %v at %v", err, result, level, c.result, c.level)
		}
	}
}
