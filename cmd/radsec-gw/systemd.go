package main

import (
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/coreos/go-systemd/v22/activation"
	"github.com/coreos/go-systemd/v22/daemon"
)

// inheritedListeners returns the TCP listeners that systemd has opened for us
// (sd_listen_fds(3)); they stand in for listen.address. None is no error.
func inheritedListeners() ([]net.Listener, error) {
	all, err := activation.Listeners()
	if err != nil {
		return nil, fmt.Errorf("taking over the sockets of systemd: %w", err)
	}
	var tcp []net.Listener
	for _, l := range all {
		if l == nil {
			continue // no listener: sockets of other kinds are not for us
		}
		if _, ok := l.Addr().(*net.TCPAddr); !ok {
			return nil, fmt.Errorf("systemd passed the socket %v: expected TCP sockets only (ListenStream= with a port)", l.Addr())
		}
		tcp = append(tcp, l)
	}
	return tcp, nil
}

// systemd tells the service manager how things stand (sd_notify(3)), in order and
// without making anybody wait. Without a service manager it does nothing.
type systemd struct {
	// static after construction
	log   *slog.Logger
	every time.Duration // between signs of life; 0: none are wanted
	queue chan string   // states to tell; end closes it
}

func newSystemd(log *slog.Logger) *systemd {
	limit, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		log.Warn("the watchdog of systemd is not understood", "error", err)
	}
	s := &systemd{log: log, every: limit / 2, queue: make(chan string, 16)}
	go s.run()
	return s
}

// run tells what is queued until end.
func (s *systemd) run() {
	for state := range s.queue {
		if _, err := daemon.SdNotify(false, state); err != nil {
			s.log.Warn("systemd cannot be notified", "error", err)
		}
	}
}

// end lets go of the goroutine, which tells what is queued first.
func (s *systemd) end() { close(s.queue) }

// notify queues a state. When systemd has not read for a long time the state is
// dropped: the next sign of life says that the gateway goes on.
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

// watchdog ticks twice in the time within which systemd wants a sign of life,
// or never.
func (s *systemd) watchdog() *time.Ticker {
	if s.every > 0 {
		return time.NewTicker(s.every)
	}
	t := time.NewTicker(time.Hour)
	t.Stop()
	return t
}
