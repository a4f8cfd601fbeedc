//go:build unix

package logs

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// ObeySignals makes SIGUSR1 lower the level by one step, so that more is logged, and
// SIGUSR2 restore the configured level. The returned function ends that.
func (l *Log) ObeySignals() (end func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1, syscall.SIGUSR2)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		for {
			select {
			case sig := <-signals:
				level := l.ConfiguredLevel()
				if sig == syscall.SIGUSR1 {
					level = max(slog.LevelDebug, l.Level()-4) // the step between slog's levels
				}
				l.SetLevel(level)
				slog.New(l).Warn("the log level was changed by a signal", "level", level.String(), "signal", sig.String())
			case <-ctx.Done():
				return
			}
		}
	})
	return func() {
		signal.Stop(signals)
		cancel()
		running.Wait()
	}
}

// SurviveBrokenPipe keeps the process alive when the reader of its standard
// error or output goes away: without it Go ends a process that writes to
// descriptor 1 or 2 and gets EPIPE (os/signal, "SIGPIPE"). It holds for the rest
// of the process; programs that it starts inherit it.
func SurviveBrokenPipe() { signal.Ignore(syscall.SIGPIPE) }
