package metrics

import "testing"

func TestCountsOfAQueueArrive(t *testing.T) {
	m, _, _, reg := filled(t)
	q := m.Queue("log", "bytes", 4096)
	q.Add(10)
	q.Add(-3)
	q.Shed(2)
	expect(t, m, reg,
		`radsec_gw_queue_length{queue="log",unit="bytes"} 7`,
		`radsec_gw_queue_limit{queue="log",unit="bytes"} 4096`,
		`radsec_gw_queue_shed_total{queue="log"} 2`)
}
