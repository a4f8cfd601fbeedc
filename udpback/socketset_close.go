package udpback

import "time"

// closeLater closes retired sockets when the schedules of the requests that wait on them
// are over.
func (set *socketSet) closeLater(retired []*socket) {
	// One second more than the schedule, so that nothing waits on them.
	time.AfterFunc(set.ep.server.settings.Load().longest+time.Second, func() { set.closeRetired(retired) })
}

// closeIdle closes retired sockets on which nothing is outstanding. It does not wait.
func (set *socketSet) closeIdle() {
	set.mu.Lock()
	var idle []*socket
	for _, s := range set.retired {
		if s.closeIfIdle() {
			idle = append(idle, s)
		}
	}
	set.mu.Unlock()
	set.closeRetired(idle)
}

// closeRetired closes retired sockets in the background.
func (set *socketSet) closeRetired(list []*socket) {
	set.mu.Lock()
	defer set.mu.Unlock()
	for _, s := range list {
		if remove(&set.retired, s) && !set.closed {
			if !s.parked() {
				set.ep.server.backend.sockets.Add(-1)
			}
			set.closing.Go(s.close)
		}
	}
}

// remove removes s from the list once, and reports whether it was there.
func remove[T comparable](list *[]T, s T) bool {
	for i, one := range *list {
		if one == s {
			*list = append((*list)[:i:i], (*list)[i+1:]...)
			return true
		}
	}
	return false
}

func (set *socketSet) isClosed() bool {
	set.mu.Lock()
	defer set.mu.Unlock()
	return set.closed
}

// close closes every socket, waits for their goroutines, and fails the requests that
// still wait.
func (set *socketSet) close() {
	set.mu.Lock()
	set.closed = true
	all := *set.current.Load()
	set.current.Store(new([]*socket))
	open := len(all)
	for _, s := range set.retired {
		if !s.parked() {
			open++
		}
	}
	others := append(set.retired, set.parked...)
	set.retired, set.parked = nil, nil
	set.mu.Unlock()
	set.closing.Wait()
	for _, s := range append(others, all...) {
		s.close()
	}
	set.ep.metrics.AddSockets(-len(all))
	set.ep.server.backend.sockets.Add(-int64(open))
}
