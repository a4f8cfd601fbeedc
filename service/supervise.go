package service

import (
	"fmt"
	"log/slog"
	"os"
	"syscall"
	"time"

	"radsec-gw/gateway"
)

// EndTimeout is how long the gateway may take to end: its connections take up to two
// seconds, and one more to write to a syslog server.
const EndTimeout = 4 * time.Second

// Supervise handles signals until gw has ended: SIGHUP reloads; SIGINT or SIGTERM drains,
// and a second one calls stop, which has to end the gateway immediately by canceling the
// context that it was started with. Meanwhile systemd is notified of the gateway's state.
//
// It returns what [gateway.Gateway.Wait] returns, or an error if the gateway does not end
// within [EndTimeout]; the process must exit then. When it returns, the last notifications
// have been sent, or systemd has not read them for a second: the process may exit in any
// case. Signals should be buffered, as for [os/signal.Notify].
//
// Its loop never blocks, so that no signal waits for a reload, a file or systemd.
func Supervise(gw *gateway.Gateway, signals <-chan os.Signal, stop func(), log *slog.Logger) error {
	sd := newSystemd(log)
	defer sd.close()
	ended := make(chan error, 1)
	go func() { ended <- gw.Wait() }()
	sd.ready()
	watchdog := sd.watchdog()
	defer watchdog.Stop()
	responded := make(chan struct{}, 1)
	responded <- struct{}{}
	reloads := &reloads{gw: gw, sd: sd, done: make(chan struct{}, 1)}
	ending := gw.Ended()
	overdue := time.NewTimer(EndTimeout)
	overdue.Stop()
	for {
		select {
		case err := <-ended:
			return err
		case <-ending:
			ending = nil
			overdue.Reset(EndTimeout)
		case <-overdue.C:
			return fmt.Errorf("the gateway has not ended within %v: the process exits anyway", EndTimeout)
		case <-watchdog.C:
			select {
			case <-responded: // since the last tick
				sd.alive()
				go func() {
					gw.Ping()
					responded <- struct{}{}
				}()
			default: // it has not: without a notification systemd restarts it
			}
		case <-reloads.done:
			reloads.ended()
		case sig := <-signals:
			switch {
			case sig == syscall.SIGHUP:
				reloads.begin()
			case gw.Draining():
				stop()
			default:
				sd.stopping()
				gw.Drain()
			}
		}
	}
}

// reloads runs one reload at a time, each in a goroutine of its own. It is owned by the
// goroutine of Supervise.
type reloads struct {
	// static after construction
	gw   *gateway.Gateway
	sd   *systemd
	done chan struct{} // of capacity 1: a reload has ended

	running bool
	again   bool // another was asked for while one was running, which may have read the files already
}

// begin starts a reload, or another one after the one that is running.
func (r *reloads) begin() {
	switch {
	case r.gw.Draining(): // too late for a reload
	case r.running:
		r.again = true
	default:
		r.running = true
		r.sd.reloading()
		go func() {
			_ = r.gw.Reload() // logged and counted
			r.done <- struct{}{}
		}()
	}
}

// ended is called when a reload has ended.
func (r *reloads) ended() {
	r.running = false
	if r.gw.Draining() {
		return
	}
	r.sd.ready()
	if r.again {
		r.again = false
		r.begin()
	}
}
