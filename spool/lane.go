package spool

import "container/heap"

// lane is the records of one route: what its servers are sent, and how fast. Its heap has the
// sessions whose first record can be sent, the oldest first.
//
// Rules: SP5.
type lane struct {
	route   string
	ready   []handle // sessions: a heap, the one with the oldest first record on top
	delayed []handle // sessions that wait for time: a heap by notBefore
	silent  []handle // sessions that wait for others: a heap by notBefore

	records   int // that are kept
	inFlight  int
	allowed   int   // records in flight, at most: more with each answer, one after silence
	answered  int64 // when a server last answered a replay, on the spool's clock; 0: never
	heard     int64 // when one last answered a record: a replay, or its live request; 0: never
	resumeAt  int64 // nothing is sent before, on the spool's clock
	pause     int64 // the last one after silence, in nanoseconds; 0: the servers answer
	budget    float64
	reachable bool  // a server of the route could be reached when the owner was last asked
	filledAt  int64 // when budget was last filled
}

// laneFor returns the number of a route's lane.
func (x *index) laneFor(route string) uint16 {
	if n, ok := x.laneOf[route]; ok {
		return n
	}
	n := uint16(len(x.lanes))
	x.lanes = append(x.lanes, &lane{route: route, allowed: 1})
	x.laneOf[route] = n
	return n
}

// join puts a session into the heap of those that are ready.
func (l *lane) join(x *index, sh handle) { heap.Push(&byAge{sessions{x, &l.ready}}, sh) }

// leave takes a session out of the heap that it is in.
func (l *lane) leave(x *index, s *session) {
	if s.waits == waitsForNothing {
		heap.Remove(&byAge{sessions{x, &l.ready}}, int(s.place)-1)
		return
	}
	heap.Remove(&byDelay{sessions{x, l.waiting(s.waits)}}, int(s.place)-1)
	s.waits = waitsForNothing
}

// waiting returns the heap of the sessions that wait.
func (l *lane) waiting(w waits) *[]handle {
	if w == waitsForOthers {
		return &l.silent
	}
	return &l.delayed
}

// next takes the session with the oldest record out of the heap, and returns that record,
// which is being sent from now on; 0: there is none. Those that have met silence come last: one
// of them may be why the servers do not answer.
func (l *lane) next(x *index) handle {
	for len(l.ready) == 0 && len(l.silent) > 0 {
		l.wakeFirst(x, &l.silent)
	}
	if len(l.ready) == 0 {
		return 0
	}
	s := x.sessions.at(l.ready[0])
	l.leave(x, s)
	x.items.at(s.first).state = itemSending
	l.inFlight++
	x.replay++
	return s.first
}

// delay has a session wait until a time on the spool's clock.
func (l *lane) delay(x *index, sh handle, w waits, until int64) {
	s := x.sessions.at(sh)
	s.waits, s.notBefore = w, until
	heap.Push(&byDelay{sessions{x, l.waiting(w)}}, sh)
}

// wake ends the delays that are over. It returns when the next is; 0: there is none. While the
// servers are silent, it is the turn of the others.
func (l *lane) wake(x *index, now int64) (next int64) {
	for _, list := range []*[]handle{&l.delayed, &l.silent} {
		for len(*list) > 0 && (list == &l.delayed || l.pause == 0) {
			if at := x.sessions.at((*list)[0]).notBefore; at > now {
				if next == 0 || at < next {
					next = at
				}
				break
			}
			l.wakeFirst(x, list)
		}
	}
	return next
}

// wakeFirst ends the delay of the session on top of a heap.
func (l *lane) wakeFirst(x *index, list *[]handle) {
	sh := (*list)[0]
	l.leave(x, x.sessions.at(sh))
	x.update(sh)
}

// begin has what waits sent as if it had never been tried.
func (l *lane) begin(x *index) {
	l.pause, l.resumeAt = 0, 0
	for _, list := range []*[]handle{&l.delayed, &l.silent} {
		for len(*list) > 0 {
			first := x.items.at(x.sessions.at((*list)[0]).first)
			first.attempts, first.silences = 0, 0
			l.wakeFirst(x, list)
		}
	}
}

// sessions is a heap of sessions, for package heap.
type sessions struct {
	x    *index
	list *[]handle
}

func (h sessions) Len() int { return len(*h.list) }

func (h sessions) at(i int) *session { return h.x.sessions.at((*h.list)[i]) }

func (h sessions) Swap(i, j int) {
	l := *h.list
	l[i], l[j] = l[j], l[i]
	h.at(i).place, h.at(j).place = int32(i+1), int32(j+1)
}

func (h sessions) Push(v any) {
	*h.list = append(*h.list, v.(handle))
	h.at(len(*h.list) - 1).place = int32(len(*h.list))
}

func (h sessions) Pop() any {
	last := len(*h.list) - 1
	sh := (*h.list)[last]
	h.at(last).place = 0
	*h.list = (*h.list)[:last]
	return sh
}

// byAge has the session with the oldest first record on top.
type byAge struct{ sessions }

func (h *byAge) Less(i, j int) bool {
	a, b := h.x.items.at(h.at(i).first), h.x.items.at(h.at(j).first)
	if a.order != b.order {
		return a.order < b.order
	}
	return a.seq < b.seq
}

// byDelay has the session on top whose delay ends first.
type byDelay struct{ sessions }

func (h *byDelay) Less(i, j int) bool { return h.at(i).notBefore < h.at(j).notBefore }
