package tlsfront

import (
	"errors"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// failing is a listener whose Accept returns the errors in errs.
type failing struct {
	*pipeListener
	errs chan error
}

func (l *failing) Accept() (net.Conn, error) {
	select { // the errors first
	case err := <-l.errs:
		return nil, &net.OpError{Op: "accept", Err: err}
	default:
	}
	select {
	case err := <-l.errs:
		return nil, &net.OpError{Op: "accept", Err: err}
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func startFailing(t *testing.T) (*front, *failing) {
	l := &failing{newPipeListener(), make(chan error, 10000)}
	return start(t, l, nil), l
}

// Without descriptors connections are refused, silent ones are displaced first; this is
// counted, and logged at once and then once a minute, with advice.
func TestNoDescriptorsForConnections(t *testing.T) {
	for _, cause := range []error{syscall.EMFILE, syscall.ENFILE} {
		synctest.Test(t, func(t *testing.T) {
			f, l := startFailing(t)
			silent := l.connect()
			synctest.Wait()
			l.errs <- cause
			synctest.Wait() // the silent one gives its descriptor back
			f.wantMetric(`radsec_gw_tls_handshakes_total{result="displaced"}`, 1)
			f.wantMetric("radsec_gw_tls_silent_connections", 0)
			silent.Close()
			for range 100 {
				l.errs <- cause
				l.errs <- cause // and none after the silent one is gone
				pass(3 * time.Second)
			}
			if n := len(f.log.lines("RadSec connections are refused because there are not enough file descriptors")); n < 4 || n > 7 {
				t.Errorf("in five minutes without descriptors there are %d lines, want one a minute; the log:\n%s", n, f.log)
			}
			if all := f.log.lines("level=ERROR"); len(all) > 7 || len(all) > 0 && len(f.log.lines("LimitNOFILE")) != len(all) {
				t.Errorf("the log has other lines: %q", all)
			}
			f.dialPipe(l.pipeListener) // there are descriptors again
			f.stop()
		})
	}
}

// Other errors of Accept are not repeated in the log either.
func TestAcceptErrorsAreLoggedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, l := startFailing(t)
		for range 200 {
			l.errs <- errors.New("something else")
		}
		l.connect()
		pass(3 * time.Minute)
		if n := len(f.log.lines("cannot accept a RadSec connection")); n < 3 || n > 5 {
			t.Errorf("three minutes of errors give %d lines, want one a minute", n)
		}
		f.stop()
	})
}

// The number of connections that the process has descriptors for is a limit of its own,
// with its own reason.
func TestLimitByDescriptors(t *testing.T) {
	f := startTCP(t, func(f *front, cfg *Config) { cfg.MaxDescriptors, cfg.DescriptorLimit = 1, 64 })
	f.dial()
	beyond := must(net.Dial("tcp", f.addr))
	defer beyond.Close()
	if err := readToEnd(beyond); err == nil {
		t.Error("a connection beyond the descriptors sees no end")
	}
	f.awaitMetric(`radsec_gw_tls_handshakes_total{result="no_descriptor"}`, 1)
	f.wantLine("level=ERROR", "refused because there are not enough file descriptors", "LimitNOFILE", "max_connections", "connections=1", "descriptors=64")
}
