package cluster

import (
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"radsec-gw/logs"
)

// A NATS server that takes away permissions ends subscriptions and says so once. When it gives them
// back it says nothing, so that only a new connection makes the subscriptions again.

// mostDenied bounds the time between two connections that are made for that.
const mostDenied = 10 * time.Minute

// denials is what is known of subscriptions that were denied.
type denials struct {
	due   time.Time     // when to connect anew; the zero Time: none was denied
	pause time.Duration // before the next time
	made  time.Time     // when a connection was last made for that
}

// denied logs that the user of this gateway may not use a subject, and has subscriptions made again
// later.
func (c *Conn) denied(err error) {
	if strings.Contains(strings.ToLower(err.Error()), "subscription") {
		c.mu.Lock()
		if d := &c.denials; d.due.IsZero() {
			d.pause = min(max(2*d.pause, c.times.denied), mostDenied)
			d.due = time.Now().Add(d.pause)
		}
		c.mu.Unlock()
	}
	subject := deniedSubject(err.Error())
	limiter, text := &c.deniedLog, "NATS denies this gateway a subject: see whether its user may publish and subscribe to everything below prefix of [cluster]"
	if strings.HasPrefix(subject, "$JS.") || strings.HasPrefix(subject, "$KV.") {
		limiter, text = &c.jetStreamLog, `NATS denies this gateway a subject of JetStream: for store = "jetstream" of [spool] see whether its user may publish to $JS.API.> and, with the name of the bucket, to $KV.NAME.>`
	}
	limiter.Log(func() logs.Line {
		return logs.Line{Log: c.cfg.Log, Level: slog.LevelError, Text: text, Fields: []any{"subject", subject, "error", c.textOf(err)}}
	})
}

// deniedSubject returns the subject in an error of NATS, which has it in quotation marks; "" if it
// has none.
func deniedSubject(text string) string {
	_, rest, _ := strings.Cut(text, `"`)
	subject, _, _ := strings.Cut(rest, `"`)
	return subject
}

// tryDenied connects anew if subscriptions were denied some time ago.
func (c *Conn) tryDenied(nc *nats.Conn, now time.Time) {
	c.mu.Lock()
	d := &c.denials
	due := !d.due.IsZero() && !now.Before(d.due)
	if due {
		d.due, d.made = time.Time{}, now
	} else if d.due.IsZero() && now.Sub(d.made) > 2*d.pause { // all subscriptions are made
		d.pause = 0
	}
	c.mu.Unlock()
	if !due {
		return
	}
	c.cfg.Log.Info("connecting to NATS anew, to make subscriptions again that were denied")
	if err := nc.ForceReconnect(); err != nil && !errors.Is(err, nats.ErrConnectionClosed) {
		c.cfg.Log.Debug("cannot connect to NATS anew", "error", c.textOf(err))
	}
}
