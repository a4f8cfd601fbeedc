package metrics

import (
	"strings"
	"syscall"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"radsec-gw/logs"
)

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// Lines written and lost are counted by what they are about, beside the other queues.
func TestLogLinesAreCounted(t *testing.T) {
	m := New(prometheus.NewRegistry())
	m.Queue("tap", "items", 8)
	good := logs.NewOutput(writerFunc(func(p []byte) (int, error) { return len(p), nil }))
	m.Logs("stderr", good)
	broken := logs.NewOutput(writerFunc(func([]byte) (int, error) { return 0, syscall.EPIPE }))
	m.Logs("syslog", broken)
	good.Put(logs.KindEvent, []byte("one\n"))
	good.Put(logs.KindRequest, []byte("two\n"))
	good.Close()
	good.Put(logs.KindRequest, []byte("too late\n"))
	broken.Put(logs.KindFTicks, []byte("three\n"))
	broken.Close()
	text := scrape(t, m)
	for _, line := range []string{
		`radsec_gw_log_lines_total{kind="event",output="stderr"} 1`,
		`radsec_gw_log_lines_total{kind="request",output="stderr"} 1`,
		`radsec_gw_log_lines_total{kind="fticks",output="stderr"} 0`,
		`radsec_gw_log_lines_total{kind="fticks",output="syslog"} 0`,
		`radsec_gw_log_lines_lost_total{kind="request",output="stderr",reason="queue_full"} 1`,
		`radsec_gw_log_lines_lost_total{kind="event",output="stderr",reason="write_failed"} 0`,
		`radsec_gw_log_lines_lost_total{kind="fticks",output="syslog",reason="write_failed"} 1`,
		`radsec_gw_log_write_errors_total{output="stderr"} 0`,
		`radsec_gw_log_write_errors_total{output="syslog"} 1`,
		`radsec_gw_queue_bytes{queue="log_stderr"} 0`,
		`radsec_gw_queue_bytes_limit{queue="log_stderr"} 4.194304e+06`,
		`radsec_gw_queue_shed_total{queue="log_stderr"} 1`,
		`radsec_gw_queue_shed_total{queue="tap"} 0`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("the scrape lacks %s", line)
		}
	}
}
