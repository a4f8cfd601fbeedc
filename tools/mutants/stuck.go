package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// busy returns for how long a process has run so far, or waited for a processor;
// ok is false when the system does not say. Linux does, in proc_pid_schedstat.
func busy(pid int) (total time.Duration, ok bool) {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		var ran, waited int64 // in ns
		if n, _ := fmt.Sscan(string(text), &ran, &waited); n == 2 {
			total, ok = total+time.Duration(ran+waited), true
		}
	}
	return total, ok
}

// cancelStuck cancels once a process has neither run nor waited for a processor for as long
// as idle: it waits for something that a mutant prevents. One that still works is left
// running, however slow the machine is. It returns when ctx is done.
func cancelStuck(ctx context.Context, cancel func(), pid int, idle time.Duration) {
	const pause, next = 200 * time.Millisecond, time.Millisecond
	seen, since := time.Duration(-1), time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		now, ok := busy(pid)
		switch {
		case !ok || now < seen || now-seen > next: // less when a thread has ended
			seen, since = now, time.Now()
		case time.Since(since) > idle:
			cancel()
			return
		}
	}
}
