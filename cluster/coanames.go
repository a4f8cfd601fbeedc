package cluster

import (
	"context"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"

	"radsec-gw/dynauth"
	"radsec-gw/locks"
	"radsec-gw/logs"
	"radsec-gw/metrics"
)

// maxNames bounds the names that are subscribed to.
const maxNames = 65536

// maxNew bounds the new names that wait to be subscribed to; with more, all are looked at.
const maxNew = 1024

// queueGroup has the gateways that have the same name: one of them gets a message.
const queueGroup = "radsec-gw"

// coaNames are the names of NASes and clients that have a connection here.
type coaNames struct {
	wake chan struct{} // has an element when there are new ones

	mu     locks.Mutex[locks.ClusterNames] // guards the fields below
	fresh  []dynauth.Name
	missed bool // more than maxNew

	// owned by the goroutine of subscribe
	nc   *nats.Conn
	subs map[dynauth.Name]*subscription
	own  map[string]*subscription // to the subjects of this gateway itself
}

// Here implements dynauth.Others.
func (c *CoA) Here(n dynauth.Name) {
	if c.names.add(n) {
		select {
		case c.names.wake <- struct{}{}:
		default:
		}
	}
}

// add adds a new name, and reports whether subscribe must be woken.
func (s *coaNames) add(n dynauth.Name) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.fresh) >= maxNew {
		s.missed = true
		return false
	}
	s.fresh = append(s.fresh, n)
	return true
}

// take returns the new names, and whether there were more.
func (s *coaNames) take(list []dynauth.Name) ([]dynauth.Name, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list = append(list, s.fresh...)
	missed := s.missed
	s.fresh, s.missed = s.fresh[:0], false
	return list, missed
}

// subscribe keeps the subscriptions as they should be.
func (c *CoA) subscribe(ctx context.Context) {
	t := time.NewTicker(c.times.names)
	defer t.Stop()
	defer c.unsubscribe()
	var list []dynauth.Name
	all := true
	for {
		changed := c.conn.Changed()
		if c.conn.Connected() {
			c.subscribeOwn()
			var missed bool
			list, missed = c.names.take(list[:0])
			if all || missed {
				c.subscribeAll()
			}
			for _, n := range list {
				c.subscribeName(n)
			}
			all = false
		}
		select {
		case <-c.names.wake:
		case <-t.C:
			all = true
		case <-changed:
			all = true
			c.beatSoon()
		case <-ctx.Done():
			return
		}
	}
}

// subscribeOwn subscribes to the subjects of this gateway itself, once for each connection.
func (c *CoA) subscribeOwn() {
	s := &c.names
	if nc := c.conn.NATS(); nc != s.nc {
		c.metrics.AddNames(-len(s.subs))
		s.nc, s.own, s.subs = nc, map[string]*subscription{}, map[dynauth.Name]*subscription{}
	}
	for subject, to := range map[string]chan *nats.Msg{"to." + c.name: c.requests, "find": c.finds, "reply." + c.name + ".*": c.replies, "gateways": c.beats} {
		if s.own[subject] != nil {
			continue
		}
		sub, err := s.nc.ChanSubscribe(c.prefix+subject, to)
		if err != nil {
			return // the connection is closed
		}
		s.own[subject] = &subscription{kind: metrics.ClusterCoA, sub: sub}
		c.beatSoon()
	}
	c.heard.Store(s.nc)
}

// subscribeName subscribes to a name, and reports false if there are too many.
func (c *CoA) subscribeName(n dynauth.Name) bool {
	s := &c.names
	if _, ok := s.subs[n]; ok {
		return true
	}
	if len(s.subs) >= c.maxNames {
		c.metrics.NameRefused()
		c.tooManyNames.Log(func() logs.Line {
			return logs.Line{Log: c.log, Level: slog.LevelWarn, Text: "more than 65,536 names of NASes and clients have a connection to this gateway: other gateways find the rest only by asking all gateways"}
		})
		return false
	}
	sub, err := s.nc.ChanQueueSubscribe(c.subject(n), queueGroup, c.requests)
	if err != nil {
		return true // the connection is closed; all are subscribed to when there is another
	}
	s.subs[n] = &subscription{kind: metrics.ClusterCoA, sub: sub}
	c.metrics.AddNames(1)
	return true
}

// subject returns the subject of a name.
func (c *CoA) subject(n dynauth.Name) string { return c.prefix + "name." + n.String() }

// subscribeAll subscribes to all names that are here, and to none else. It counts what was dropped.
func (c *CoA) subscribeAll() {
	s := &c.names
	c.countDropped()
	here := make(map[dynauth.Name]struct{}, len(s.subs))
	for n := range c.server.Reachable() {
		here[n] = struct{}{}
	}
	for n, sub := range s.subs {
		if _, ok := here[n]; !ok {
			_ = sub.sub.Unsubscribe() // fails if the connection is closed
			delete(s.subs, n)
			c.metrics.AddNames(-1)
		}
	}
	for n := range here {
		if !c.subscribeName(n) {
			return
		}
	}
}

// countDropped counts what the library has dropped because it arrived faster than it was handled.
func (c *CoA) countDropped() {
	for _, sub := range c.names.subs {
		sub.count(c.conn.cfg.Metrics)
	}
	for _, sub := range c.names.own {
		sub.count(c.conn.cfg.Metrics)
	}
}

// unsubscribe ends all subscriptions.
func (c *CoA) unsubscribe() {
	s := &c.names
	c.countDropped()
	for _, sub := range s.subs {
		_ = sub.sub.Unsubscribe() // fails if the connection is closed
	}
	for _, sub := range s.own {
		_ = sub.sub.Unsubscribe()
	}
	c.metrics.AddNames(-len(s.subs))
	s.nc, s.subs, s.own = nil, nil, nil
}
