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

// systemd tells the service manager how things stand (sd_notify(3)). Without
// one it does nothing.
type systemd struct {
	log   *slog.Logger
	every time.Duration // between signs of life; 0: none are wanted
}

func newSystemd(log *slog.Logger) *systemd {
	limit, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		log.Warn("the watchdog of systemd is not understood", "error", err)
	}
	return &systemd{log: log, every: limit / 2}
}

func (s *systemd) notify(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		s.log.Warn("systemd cannot be notified", "error", err)
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
