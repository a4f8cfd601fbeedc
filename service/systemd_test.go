package service

import (
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// What is queued when the process ends is sent before it exits.
func TestLastNotificationsAreSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		s := startSystemd(slog.New(slog.DiscardHandler), 0, func(state string) error {
			time.Sleep(100 * time.Millisecond) // a service manager that is busy
			got = append(got, state)
			return nil
		})
		s.ready()
		s.stopping()
		s.close()
		if want := []string{"READY=1", "STOPPING=1"}; !slices.Equal(got, want) {
			t.Errorf("when close returned, systemd had been sent %q, expected %q", got, want)
		}
	})
}

// A service manager that does not read does not keep the process from ending.
func TestServiceManagerThatDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		s := startSystemd(slog.New(slog.DiscardHandler), 0, func(string) error { <-hang; return nil })
		s.stopping()
		start := time.Now()
		s.close()
		if took := time.Since(start); took != closeTimeout {
			t.Errorf("close returned after %v, expected %v", took, closeTimeout)
		}
		close(hang)
		<-s.sent
	})
}
