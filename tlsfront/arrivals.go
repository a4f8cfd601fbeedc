package tlsfront

import (
	"container/list"
	"net/netip"
)

// arrivals are the connections at one stage before their client is known, grouped by
// source. Each method takes constant time, because it is called for each connection of a
// flood. It is guarded by admission.mu.
type arrivals struct {
	gauge  func(n int) // adds n to the metric
	n      int
	groups map[netip.Addr]*group
	order  list.List    // of *group: the first is next
	levels []*list.List // of *group, by their number of arrivals
	most   int          // the highest level in use; 0: no arrivals
}

// group is the arrivals of one source.
type group struct {
	source netip.Addr
	oldest list.List     // of *arrival, in the order in which they were added
	turn   *list.Element // in arrivals.order
	level  *list.Element // in arrivals.levels
}

func newArrivals(gauge func(int)) *arrivals {
	return &arrivals{gauge: gauge, groups: map[netip.Addr]*group{}, levels: []*list.List{nil}}
}

// add adds an arrival that has no stage.
func (s *arrivals) add(a *arrival) {
	g := s.groups[a.source]
	if g == nil {
		g = &group{source: a.source}
		g.turn = s.order.PushBack(g)
		s.groups[a.source] = g
	} else {
		s.levels[g.oldest.Len()].Remove(g.level)
	}
	a.stage, a.group, a.place = s, g, g.oldest.PushBack(a)
	s.raise(g)
	s.n++
	s.gauge(1)
}

// raise adds g to the level of its length. It has been removed from its level.
func (s *arrivals) raise(g *group) {
	n := g.oldest.Len()
	for len(s.levels) <= n {
		s.levels = append(s.levels, list.New())
	}
	g.level = s.levels[n].PushBack(g)
	s.most = max(s.most, n)
}

// remove removes an arrival that is at this stage.
func (s *arrivals) remove(a *arrival) {
	g := a.group
	s.levels[g.oldest.Len()].Remove(g.level)
	g.oldest.Remove(a.place)
	if g.oldest.Len() > 0 {
		s.raise(g)
	} else {
		s.order.Remove(g.turn)
		delete(s.groups, g.source)
	}
	for s.most > 0 && s.levels[s.most].Len() == 0 {
		s.most--
	}
	a.stage, a.group, a.place = nil, nil, nil
	s.n--
	s.gauge(-1)
}

// count returns how many arrivals source has.
func (s *arrivals) count(source netip.Addr) int {
	if g := s.groups[source]; g != nil {
		return g.oldest.Len()
	}
	return 0
}

// largest returns the group with the most arrivals; of several, the one that has had
// that many for the longest time. It returns nil if there are no arrivals.
func (s *arrivals) largest() *group {
	if s.most == 0 {
		return nil
	}
	return s.levels[s.most].Front().Value.(*group)
}

// first returns the oldest arrival of g.
func (g *group) first() *arrival { return g.oldest.Front().Value.(*arrival) }

// next returns the oldest arrival of the next source, and moves that source to the end
// of the order. There must be an arrival.
func (s *arrivals) next() *arrival {
	g := s.order.Front().Value.(*group)
	s.order.MoveToBack(g.turn)
	return g.first()
}
