package spool

import (
	"errors"
	"time"
)

// hangAfter is how long the disk may take for what usually takes some milliseconds.
const hangAfter = 5 * time.Second

// The errors of a store that does not answer.
var (
	errHangs  = errors.New("the disk of the spool does not answer")
	errSilent = errors.New("the NATS servers of the spool do not answer")
)

// hangError returns the error of the store when it does not answer.
func (s *Spool) hangError() error {
	if s.cfg.Stream != nil {
		return errSilent
	}
	return errHangs
}

// watch says so when the disk hangs: the goroutine that waits for it cannot. It ends with the
// spool.
//
// Rules: SP10.
func (s *Spool) watch() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.checkDisk(time.Now())
		case <-s.ctx.Done():
			return
		}
	}
}

// checkDisk notes whether the disk hangs.
func (s *Spool) checkDisk(now time.Time) {
	since := s.busySince.Load()
	hangs := since != nil && now.Sub(*since) >= hangAfter
	if hangs == s.hanging.Swap(hangs) {
		return
	}
	if !hangs {
		if s.endFailure(s.hangError()) { // otherwise what waited for the disk has failed
			s.cfg.Metrics.SetUp(true)
		}
		s.cfg.Log.Info("the store of the spool answers again", "directory", s.cfg.Directory)
		return
	}
	s.noteFailure(s.hangError())
	s.cfg.Metrics.SetUp(false)
	s.cfg.Metrics.Failed()
	s.cfg.Log.Error(s.hangError().Error()+": accounting that no server answers is not acknowledged until it does", "directory", s.cfg.Directory, "for", now.Sub(*since).Round(time.Second))
}

// endFailure notes that what was wrong is so no longer. It reports false if something else is.
func (s *Spool) endFailure(err error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failure == err {
		s.failure = nil
	}
	return s.err == nil && s.failure == nil
}

// busy notes that the goroutine that changes the store is about to use the disk.
func (s *Spool) busy() {
	now := time.Now()
	s.busySince.Store(&now)
}

// idle notes that it no longer does.
func (s *Spool) idle() { s.busySince.Store(nil) }
