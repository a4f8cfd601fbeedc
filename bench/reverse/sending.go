package reverse

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"

	"radsec-gw/bench/histogram"
)

// sockets is how many the sender has: 256 Identifiers each.
const sockets = 32

// sending is a server that sends CoA-Requests at a rate, and counts their answers. One that is
// not answered within resendAfter it sends again, as servers do over UDP.
type sending struct {
	name    func(int) string
	nases   int
	quit    chan struct{}
	halted  atomic.Bool // nothing new is sent
	running sync.WaitGroup
	conns   [sockets]net.Conn

	mu        sync.Mutex // guards what follows
	waiting   [sockets][256]pending
	latencies histogram.Histogram
	counting  bool
	sent      int
	answered  int
	counted   int // answered while counting
	again     int // sent again
	bad       int
}

// resendAfter is the initial retransmission time of RFC 5080 §2.2.1.
const resendAfter = 2 * time.Second

// pending is a request that waits for its answer.
type pending struct {
	octets []byte // nil: free
	at     time.Time
	sentAt time.Time
}

// startSending sends to the NASes of a size in turn, by name.
func startSending(ctx context.Context, address string, size Size, name func(int) string) (*sending, error) {
	s := &sending{name: name, nases: size.NASes, quit: make(chan struct{})}
	for i := range s.conns {
		c, err := new(net.Dialer).DialContext(ctx, "udp4", address)
		if err != nil {
			return nil, err
		}
		s.conns[i] = c
		s.running.Go(func() { s.receive(i) })
	}
	s.running.Go(func() { s.run(ctx, size.Rate) })
	return s, nil
}

// run sends, a millisecond's worth at a time, until quit is closed.
func (s *sending) run(ctx context.Context, rate float64) {
	t := time.NewTicker(time.Millisecond)
	defer t.Stop()
	start, n := time.Now(), 0
	for turn := 0; ; turn++ {
		select {
		case <-t.C:
		case <-s.quit:
			return
		case <-ctx.Done():
			return
		}
		if !s.halted.Load() {
			for due := int(time.Since(start).Seconds() * rate); n < due; n++ {
				s.send(n)
			}
		}
		s.resend(turn)
	}
}

// resend sends requests again that are overdue, those of one socket with each turn.
func (s *sending) resend(turn int) {
	i := turn % sockets
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range s.waiting[i] {
		if w := &s.waiting[i][id]; w.octets != nil && time.Since(w.sentAt) > resendAfter {
			w.sentAt = time.Now()
			s.again++
			_, _ = s.conns[i].Write(w.octets)
		}
	}
}

// send sends the n-th request.
func (s *sending) send(n int) {
	i, id := n%sockets, byte(n/sockets)
	p := radius.New(radius.CodeCoARequest, []byte(serverSecret))
	p.Identifier = id
	err := errors.Join(rfc2865.NASIdentifier_SetString(p, s.name(n%s.nases)), rfc2865.SessionTimeout_Set(p, rfc2865.SessionTimeout(n)))
	octets, failed := p.Encode()
	if err = errors.Join(err, failed); err != nil {
		return
	}
	s.mu.Lock()
	free, now := s.waiting[i][id].octets == nil, time.Now()
	if free { // otherwise its answer is overdue, and the request waits for its turn
		s.sent++
		s.waiting[i][id] = pending{octets, now, now}
	}
	s.mu.Unlock()
	if !free {
		return
	}
	_, _ = s.conns[i].Write(octets)
}

// receive reads the answers on one socket.
func (s *sending) receive(i int) {
	b := make([]byte, 4096)
	for {
		n, err := s.conns[i].Read(b)
		if err != nil {
			return
		}
		s.mu.Lock()
		w := &s.waiting[i][b[1]]
		switch {
		case n < 20 || w.octets == nil || !radius.IsAuthenticResponse(b[:n], w.octets, []byte(serverSecret)) || int(binary.BigEndian.Uint16(b[2:])) != n:
			s.bad++
		case radius.Code(b[0]) != radius.CodeCoAACK:
			s.bad++
			*w = pending{}
		default:
			s.answered++
			if s.counting {
				s.counted++
				s.latencies.Record(time.Since(w.at))
			}
			*w = pending{}
		}
		s.mu.Unlock()
	}
}

// measured begins and ends the time in which answers are counted.
func (s *sending) measured(end bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counting = !end
}

// stop ends the sending.
func (s *sending) stop() {
	close(s.quit)
	for _, c := range s.conns {
		c.Close()
	}
	s.running.Wait()
}

// finish stops to send, waits for the last answers, and ends the sending.
func (s *sending) finish() {
	s.halted.Store(true)
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		s.mu.Lock()
		done := s.answered >= s.sent
		s.mu.Unlock()
		if done {
			break
		}
	}
	s.stop()
}

func (s *sending) String() string {
	return fmt.Sprintf("%d sent, %d answered, %d sent again, %d bad", s.sent, s.answered, s.again, s.bad)
}
