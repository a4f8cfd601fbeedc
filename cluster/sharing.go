package cluster

import (
	"context"
	"crypto/rand"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"radsec-gw/logs"
	"radsec-gw/metrics"
)

const (
	// maxWaiting bounds the pairs that wait to be told to the others: some milliseconds' of a
	// busy gateway.
	maxWaiting = 4096
	// gatherFor is how long pairs are collected for one message.
	gatherFor = 5 * time.Millisecond
	// roundGap is the least time between two announcements, whatever happens.
	roundGap = 200 * time.Millisecond
	// maxPending and maxPendingBytes bound the messages of others that wait to be handled.
	maxPending      = 4096
	maxPendingBytes = 4 << 20
)

// SharingConfig says what is shared. Its functions are called from goroutines of Sharing; they
// must not wait.
type SharingConfig struct {
	Prefix string
	// Marker returns what this gateway marks its requests with now.
	Marker func() MarkerID
	// Markers is told what the other gateways mark theirs with, when that changes. The set is
	// not changed afterwards.
	Markers func(map[MarkerID]struct{})
	// Remember is told which server issued a State. There may be no such server here.
	Remember func(Issuer)

	Metrics *metrics.Cluster
	Log     *slog.Logger
}

// Sharing tells the other gateways the marker and the States of this one, and learns theirs.
type Sharing struct {
	// static after construction
	cfg    SharingConfig
	conn   *Conn
	id     ReplicaID
	issued chan Issuer
	wake   chan struct{} // to announce at once
	cancel context.CancelFunc
	done   chan struct{} // closed when all goroutines have ended

	others     replicas
	present    atomic.Int64
	invalidLog logs.Limiter

	// owned by announce
	subscribed *nats.Conn // that the subscriptions are of
	subs       [2]subscription
	markers    map[MarkerID]struct{} // as Markers was last told
}

// subscription is one of a Sharing or a CoA.
type subscription struct {
	kind    metrics.ClusterMessage
	sub     *nats.Subscription
	dropped int // as counted so far
}

// NewSharing begins to share over a connection, until Close.
func NewSharing(conn *Conn, cfg SharingConfig) *Sharing {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	s := &Sharing{cfg: cfg, conn: conn, issued: make(chan Issuer, maxWaiting), wake: make(chan struct{}, 1), done: make(chan struct{})}
	rand.Read(s.id[:])
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	var running sync.WaitGroup
	running.Go(func() { s.announce(ctx) })
	running.Go(func() { s.publishIssuers(ctx) })
	go func() {
		running.Wait()
		close(s.done)
	}()
	return s
}

// Close ends the sharing. It returns when all goroutines have ended, or with ctx.
func (s *Sharing) Close(ctx context.Context) {
	s.cancel()
	select {
	case <-s.done:
	case <-ctx.Done():
	}
}

// Replicas returns how many other gateways there are.
func (s *Sharing) Replicas() int { return int(s.present.Load()) }

// Announce tells the others this gateway's marker soon.
func (s *Sharing) Announce() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Issued tells the others which server issued a State. It never waits and allocates nothing: what
// finds no connection, or the queue full, is dropped and counted.
func (s *Sharing) Issued(i Issuer) {
	if s.conn.Connected() {
		select {
		case s.issued <- i:
			return
		default:
		}
	}
	s.cfg.Metrics.Dropped(metrics.ClusterState, 1)
}

// publishIssuers tells the others what Issued was told, many at a time.
func (s *Sharing) publishIssuers(ctx context.Context) {
	message := make([]byte, 0, maxStateSize)
	t := time.NewTimer(gatherFor)
	defer t.Stop()
	for {
		message = appendHeader(message[:0], s.id)
		n := 1
		select {
		case <-ctx.Done():
			return
		case i := <-s.issued:
			message = appendIssuer(message, i)
		}
		t.Reset(gatherFor)
		for due := false; !due && n < maxIssuers; {
			select {
			case i := <-s.issued:
				message = appendIssuer(message, i)
				n++
			case <-t.C:
				due = true
			case <-ctx.Done():
				return
			}
		}
		s.publish(metrics.ClusterState, message, n)
	}
}

// subject returns the subject of a kind of messages.
func (s *Sharing) subject(kind metrics.ClusterMessage) string {
	return s.cfg.Prefix + "." + kind.String()
}

// publish publishes a message that has n of its kind.
func (s *Sharing) publish(kind metrics.ClusterMessage, message []byte, n int) {
	nc := s.conn.NATS()
	if nc == nil || !s.conn.Connected() || nc.Publish(s.subject(kind), message) != nil {
		s.cfg.Metrics.Dropped(kind, n)
		return
	}
	s.cfg.Metrics.Sent(kind, n)
}

// announce subscribes, says that the gateway is there, and follows the others.
func (s *Sharing) announce(ctx context.Context) {
	every, gap := time.NewTicker(announceEvery), time.NewTimer(0)
	defer every.Stop()
	defer gap.Stop()
	for {
		select {
		case <-ctx.Done():
			s.unsubscribe()
			return
		case <-gap.C:
		}
		changed := s.conn.Changed()
		s.round(time.Now())
		select {
		case <-ctx.Done():
		case <-every.C:
		case <-changed:
		case <-s.wake:
		}
		gap.Reset(roundGap)
	}
}

// round says that the gateway is there, if that can be told, and reads what the others have said.
func (s *Sharing) round(now time.Time) {
	if nc := s.conn.NATS(); nc != nil && s.conn.Connected() {
		if nc != s.subscribed {
			s.subscribe(nc)
		}
		s.publish(metrics.ClusterMarker, appendMarker(nil, s.id, s.cfg.Marker()), 1)
	}
	for i := range s.subs {
		s.subs[i].count(s.cfg.Metrics)
	}
	present, markers := s.others.current(now)
	s.present.Store(int64(present))
	s.cfg.Metrics.SetReplicas(present)
	if !maps.Equal(markers, s.markers) {
		s.markers = markers
		s.cfg.Markers(markers)
	}
}

// subscribe subscribes with a connection that is new. The library does so again by itself when
// that is lost and made again.
func (s *Sharing) subscribe(nc *nats.Conn) {
	s.unsubscribe()
	for i, x := range []struct {
		kind   metrics.ClusterMessage
		handle nats.MsgHandler
	}{{metrics.ClusterMarker, s.handleMarker}, {metrics.ClusterState, s.handleState}} {
		sub, err := nc.Subscribe(s.subject(x.kind), x.handle)
		if err != nil {
			return // the connection is closed: the next is subscribed with
		}
		sub.SetPendingLimits(maxPending, maxPendingBytes)
		s.subs[i] = subscription{kind: x.kind, sub: sub}
	}
	s.subscribed = nc
}

// unsubscribe ends the subscriptions.
func (s *Sharing) unsubscribe() {
	for i := range s.subs {
		if s.subs[i].sub != nil {
			s.subs[i].sub.Unsubscribe()
		}
	}
	s.subs, s.subscribed = [2]subscription{}, nil
}

// count counts what the library has dropped.
func (s *subscription) count(m *metrics.Cluster) {
	if s.sub == nil {
		return
	}
	if n, err := s.sub.Dropped(); err == nil && n > s.dropped {
		m.NotReceived(s.kind, n-s.dropped)
		s.dropped = n
	}
}

// handleMarker handles the announcement of a gateway.
func (s *Sharing) handleMarker(m *nats.Msg) {
	from, marker, err := parseMarker(m.Data)
	switch {
	case err != nil:
		s.invalid(metrics.ClusterMarker, m)
		return
	case from == s.id:
		return
	}
	s.cfg.Metrics.Received(metrics.ClusterMarker, 1)
	news, full := s.others.heard(from, marker, time.Now())
	if full {
		s.cfg.Metrics.NotReceived(metrics.ClusterMarker, 1)
	}
	if news {
		s.Announce() // it may have started just now, and knows nobody
	}
}

// handleState handles what another gateway tells of States.
func (s *Sharing) handleState(m *nats.Msg) {
	from, pairs, err := parseIssuers(m.Data)
	switch {
	case err != nil:
		s.invalid(metrics.ClusterState, m)
		return
	case from == s.id:
		return
	}
	s.cfg.Metrics.Received(metrics.ClusterState, len(pairs)/issuerSize)
	for i := range issuers(pairs) {
		s.cfg.Remember(i)
	}
}

// invalid counts a message that does not have the form of its kind.
func (s *Sharing) invalid(kind metrics.ClusterMessage, m *nats.Msg) {
	s.cfg.Metrics.Invalid(kind)
	s.invalidLog.Log(func() logs.Line { return invalidLine(s.cfg.Log, m) })
}

// invalidLine is the log line of a message that is ignored.
func invalidLine(log *slog.Logger, m *nats.Msg) logs.Line {
	return logs.Line{Log: log, Level: slog.LevelWarn, Text: "ignored a message from NATS that does not have the form that gateways give it: see whether gateways of other versions have the same prefix of [cluster], and who may publish below it",
		Fields: []any{"subject", m.Subject, "bytes", len(m.Data)}}
}
