package dynauth

import (
	"time"

	"radsec-gw/metrics"
	"radsec-gw/wire"
)

// addDeadline adds a request that is sent down now, or that other gateways are asked about, to
// those that have a deadline.
func (s *Server) addDeadline(req *request, now time.Duration) {
	timeout := s.config.Load().Timeout
	s.mu.Lock()
	defer s.mu.Unlock()
	req.deadline, req.waiting = now+timeout, true
	older := s.newest
	for older != nil && older.deadline > req.deadline { // only after a reload that has shortened the timeout
		older = older.older
	}
	req.older = older
	if older != nil {
		req.newer, older.newer = older.newer, req
	} else {
		req.newer, s.oldest = s.oldest, req
	}
	if req.newer != nil {
		req.newer.older = req
	} else {
		s.newest = req
	}
	s.wakeAt(req.deadline)
}

// PendingTime returns how long requests that were sent down may still be answered.
func (s *Server) PendingTime() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.newest == nil {
		return 0
	}
	return max(0, s.newest.deadline-s.now())
}

// wakeAt has expire run at a time on the server's clock, if it would run later. With mu held.
func (s *Server) wakeAt(at time.Duration) {
	if s.wake != 0 && s.wake <= at {
		return
	}
	s.wake = at
	if s.timer == nil {
		s.timer = time.AfterFunc(at-s.now(), s.expire)
	} else {
		s.timer.Reset(at - s.now())
	}
}

// removeDeadline removes a request from those that have a deadline. With mu held.
func (s *Server) removeDeadline(req *request) {
	if !req.waiting {
		return
	}
	req.waiting = false
	if req.newer != nil {
		req.newer.older = req.older
	} else {
		s.newest = req.older
	}
	if req.older != nil {
		req.older.newer = req.newer
	} else {
		s.oldest = req.newer
	}
	req.newer, req.older = nil, nil
}

// due is a request whose deadline has passed. The request itself may have been answered, and
// its memory be in use for another.
type due struct {
	req  *request
	link *Link
	id   wire.ReverseID
	seq  uint64

	question *Question // of a request that other gateways were asked about; nil: it was sent down
}

// expire gives up requests that were not answered in time: their senders get no answer,
// because nobody knows what the NAS has done (RC7, RFC 5176 §3.5 has no Error-Cause for it).
// It also forgets kept answers whose time is over.
func (s *Server) expire() {
	var list []due
	now := s.now()
	s.mu.Lock()
	for s.oldest != nil && s.oldest.deadline <= now {
		req := s.oldest
		list = append(list, due{req, req.link, req.id, req.seq, req.question})
		s.removeDeadline(req)
	}
	s.dups.expire(now)
	s.wake = 0
	if s.oldest != nil {
		s.wakeAt(s.oldest.deadline)
	}
	if s.dups.kept.len() > 0 {
		s.wakeAt(s.dups.kept.at(0).until)
	}
	s.mu.Unlock()
	for _, d := range list {
		if d.question != nil {
			if req := d.question.end(); req != nil {
				s.logOthersSilent(req)
				s.drop(req, metrics.FateNASSilent, false)
			}
			continue
		}
		if d.link.takeLate(d.id, d.seq) {
			s.metrics.AddPending(-1)
			s.logSilent(d.req)
			s.drop(d.req, metrics.FateNASSilent, false)
		}
	}
}
