package load

import (
	"errors"
	"os"
	"sync"
	"time"
)

// openLoop sends at the connection's share of the rate, independently of the relay. A request that finds no free identifier waits for one, and its latency
// counts from when it was due, so that a stall is seen in full.
func (s *session) openLoop() {
	var mu sync.Mutex // guards s, the transport's writing side apart
	freed := make(chan struct{}, 1)
	over := make(chan struct{})
	var reader sync.WaitGroup
	reader.Go(func() {
		defer close(over)
		s.readOpen(&mu, freed)
	})

	interval := time.Duration(float64(time.Second) * float64(s.cfg.Connections) / s.cfg.Rate)
	// Connections take turns within the interval.
	first := s.when.start.Add(interval * time.Duration(s.index) / time.Duration(s.cfg.Connections))
	total := int(s.when.end.Sub(first)/interval) + 1
	sent := s.sendOpen(&mu, first, interval, total, freed, over)
	reader.Wait()
	if sent < total {
		s.unsent = uint64(total - sent)
	}
	s.lost += uint64(s.waiting)
}

// sendOpen sends total requests, the k-th at first + k × interval, or as soon
// after as an identifier is free.
func (s *session) sendOpen(mu *sync.Mutex, first time.Time, interval time.Duration, total int, freed, over <-chan struct{}) (sent int) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for sent < total {
		now := time.Now()
		if now.After(s.when.giveUp) {
			break
		}
		mu.Lock()
		var err error
		for sent < total && s.freeLen > 0 && err == nil {
			due := first.Add(time.Duration(sent) * interval)
			if due.After(now) {
				break
			}
			err = s.send(due, now)
			sent++
		}
		full := s.freeLen == 0
		mu.Unlock()
		if err == nil {
			err = s.conn.flush()
		}
		if err != nil {
			break // the reader says why
		}
		next := s.when.giveUp
		if !full && sent < total {
			next = first.Add(time.Duration(sent) * interval)
		}
		timer.Reset(time.Until(next))
		if full {
			select {
			case <-timer.C:
			case <-freed:
			case <-over:
				return sent
			}
		} else if sent < total {
			select {
			case <-timer.C:
			case <-over:
				return sent
			}
		}
	}
	return sent
}

// readOpen reads replies until there are none to wait for after the end, or it is time to
// give up.
func (s *session) readOpen(mu *sync.Mutex, freed chan<- struct{}) {
	for {
		now := time.Now()
		mu.Lock()
		if now.Sub(s.swept) >= 100*time.Millisecond {
			s.sweep(now)
			s.arm(now)
		}
		finished := now.After(s.when.giveUp) || s.waiting == 0 && now.After(s.when.end.Add(200*time.Millisecond))
		mu.Unlock()
		if finished {
			return
		}
		p, err := s.conn.next()
		now = time.Now()
		mu.Lock()
		if err == nil {
			s.receive(p, now)
		} else if !errors.Is(err, os.ErrDeadlineExceeded) {
			s.broken = err
		}
		ended := s.broken != nil
		mu.Unlock()
		if ended {
			return
		}
		select {
		case freed <- struct{}{}:
		default:
		}
	}
}
