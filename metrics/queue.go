package metrics

import "github.com/prometheus/client_golang/prometheus"

// queueLevels returns gauges of what waits in a bounded queue, and of its limit: they have
// the unit in their names.
func queueLevels(queue, unit string, length, limit func() float64) []prometheus.Collector {
	gauge := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help, ConstLabels: prometheus.Labels{"queue": queue}}, value)
	}
	return []prometheus.Collector{
		gauge("queue_"+unit, "What waits in a bounded queue now, in "+unit+".", length),
		gauge("queue_"+unit+"_limit", "The most that a bounded queue takes, in "+unit+".", limit),
	}
}

// queueShed describes the counter of what a queue has dropped.
func queueShed(name string) prometheus.CounterOpts {
	return prometheus.CounterOpts{Namespace: namespace, Name: "queue_shed_total",
		Help: "Items that were dropped because a bounded queue was full.", ConstLabels: prometheus.Labels{"queue": name}}
}

// Queue is the handle for one bounded queue. Its methods may be called from
// any goroutine.
type Queue struct {
	shed   prometheus.Counter
	length level
}

// Queue returns the handle for the queue with this name, which holds at most limit items
// or bytes, as unit says ("items", "bytes"). The same name gives the same handle, with
// the limit of the first call.
func (m *Metrics) Queue(name, unit string, limit int) *Queue {
	m.mu.Lock()
	defer m.mu.Unlock()
	if q := m.queues[name]; q != nil {
		return q
	}
	q := &Queue{shed: prometheus.NewCounter(queueShed(name))}
	m.shared.MustRegister(q.shed)
	m.shared.MustRegister(queueLevels(name, unit, func() float64 { return float64(q.length.n.Load()) }, func() float64 { return float64(limit) })...)
	m.queues[name] = q
	return q
}

// Add adds n to what waits; n is negative for what has been taken out.
func (q *Queue) Add(n int) { q.length.add(n) }

// Shed counts n items that found the queue full and were dropped.
func (q *Queue) Shed(n int) { q.shed.Add(float64(n)) }

// Dropped returns how many items were dropped so far.
func (q *Queue) Dropped() int { return int(read(q.shed)) }
