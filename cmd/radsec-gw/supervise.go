package main

import (
	"fmt"
	"os"
	"syscall"
	"time"

	"radsec-gw/gateway"
)

// endTimeout is how long everything has to end once it was told to: connections
// take up to two seconds, what waits for a syslog server one more.
const endTimeout = 4 * time.Second

// supervise carries out what signals ask for until the gateway has ended:
// SIGHUP reloads; SIGINT or SIGTERM drains, and a second one ends at once.
//
// Its loop waits for nothing else, so that no signal waits for a reload, a file
// or systemd. What does not end in time is left behind: supervise returns an error
// then, for the process to exit.
func supervise(gw *gateway.Gateway, signals <-chan os.Signal, stop func(), sd *systemd) error {
	ended := make(chan error, 1)
	go func() { ended <- gw.Wait() }()
	sd.ready()
	watchdog := sd.watchdog()
	defer watchdog.Stop()
	responded := make(chan struct{}, 1)
	responded <- struct{}{}
	reloads := &reloads{gw: gw, sd: sd, done: make(chan struct{}, 1)}
	told := gw.Ended()
	overdue := time.NewTimer(endTimeout)
	overdue.Stop()
	for {
		select {
		case err := <-ended:
			return err
		case <-told:
			told = nil
			overdue.Reset(endTimeout)
		case <-overdue.C:
			return fmt.Errorf("not everything has ended within %v: the process exits all the same", endTimeout)
		case <-watchdog.C:
			select {
			case <-responded: // to the last question: it is alive
				sd.alive()
				go func() {
					gw.Responds()
					responded <- struct{}{}
				}()
			default:
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

// reloads runs one reload at a time, in a goroutine of its own. It belongs to
// supervise.
type reloads struct {
	// static after construction
	gw   *gateway.Gateway
	sd   *systemd
	done chan struct{} // of capacity 1: a reload has ended

	running bool
	again   bool // asked for while one runs, which may have read the files already
}

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
