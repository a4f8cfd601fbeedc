package service

import (
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/coreos/go-systemd/v22/activation"
	"github.com/coreos/go-systemd/v22/daemon"
)

// Listeners returns the TCP listeners that systemd has passed (sd_listen_fds(3)), which are
// used instead of listen.address. It is not an error if there are none, but it is if one is
// not a TCP listener; sockets that are not listeners are ignored.
func Listeners() ([]net.Listener, error) {
	all, err := activation.Listeners()
	if err != nil {
		return nil, fmt.Errorf("using the sockets that systemd passed: %w", err)
	}
	var tcp []net.Listener
	for _, l := range all {
		if l == nil {
			continue // a socket that is not a listener
		}
		if _, ok := l.Addr().(*net.TCPAddr); !ok {
			return nil, fmt.Errorf("systemd passed the socket %v: expected TCP sockets only (ListenStream= with a port)", l.Addr())
		}
		tcp = append(tcp, l)
	}
	return tcp, nil
}

// systemd notifies the service manager of the gateway's state (sd_notify(3)), in order and
// without blocking its caller. Without a service manager it does nothing.
type systemd struct {
	// static after construction
	log   *slog.Logger
	limit time.Duration // between two watchdog notifications; 0: the watchdog is off
	send  func(state string) error
	queue chan string   // states to notify of; close closes it
	sent  chan struct{} // closed when everything queued was sent
}

// closeTimeout is how long the service manager may take to receive what is queued when the
// process ends.
const closeTimeout = time.Second

func newSystemd(log *slog.Logger) *systemd {
	limit, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		log.Warn("the watchdog setting of systemd cannot be parsed", "error", err)
	}
	return startSystemd(log, limit, func(state string) error {
		_, err := daemon.SdNotify(false, state)
		return err
	})
}

func startSystemd(log *slog.Logger, limit time.Duration, send func(state string) error) *systemd {
	s := &systemd{log: log, limit: limit, send: send, queue: make(chan string, 16), sent: make(chan struct{})}
	go s.run()
	return s
}

// run sends the queued notifications until close.
func (s *systemd) run() {
	defer close(s.sent)
	for state := range s.queue {
		if err := s.send(state); err != nil {
			s.log.Warn("systemd cannot be notified", "error", err)
		}
	}
}

// close sends what is queued, and returns after closeTimeout at the latest. The process may
// exit then: without waiting, a gateway that has nothing to drain ended before systemd
// knew that it was stopping.
func (s *systemd) close() {
	close(s.queue)
	select {
	case <-s.sent:
	case <-time.After(closeTimeout):
	}
}

// notify queues a state. If the queue is full, because systemd has not read for a long time,
// the state is dropped: the next watchdog notification shows that the gateway is alive.
func (s *systemd) notify(state string) {
	select {
	case s.queue <- state:
	default:
	}
}

func (s *systemd) ready() { s.notify(daemon.SdNotifyReady) }
func (s *systemd) reloading() {
	s.notify(daemon.SdNotifyReloading + "\n" + daemon.SdNotifyMonotonicUsec())
}
func (s *systemd) stopping() { s.notify(daemon.SdNotifyStopping) }
func (s *systemd) alive()    { s.notify(daemon.SdNotifyWatchdog) }

// watchdog returns a ticker that ticks twice within the watchdog's limit; never if the
// watchdog is off.
func (s *systemd) watchdog() *time.Ticker {
	if s.limit > 0 {
		return time.NewTicker(s.limit / 2)
	}
	t := time.NewTicker(time.Hour)
	t.Stop()
	return t
}
