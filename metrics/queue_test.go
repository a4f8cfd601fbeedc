package metrics

import "testing"

func TestCountsOfAQueueArrive(t *testing.T) {
	m, _, _ := filled(t)
	q := m.Queue("log", "bytes", 4096)
	q.Add(10)
	q.Add(-3)
	q.Shed(2)
	expect(t, m,
		`radsec_gw_queue_bytes{queue="log"} 7`,
		`radsec_gw_queue_bytes_limit{queue="log"} 4096`,
		`radsec_gw_queue_shed_total{queue="log"} 2`)
}
