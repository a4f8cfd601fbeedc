package spool

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// The file of records that were set aside is not taken while one is written to it: that would go
// with it.
//
// Rules: SP9, SP12
func TestRetryWhileARecordIsSetAside(t *testing.T) {
	b := newBed(t, "", roomy)
	path := filepath.Join(b.Directory(), asideName)
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	b.asideFile.Lock() // as appendAside holds it
	done := make(chan error, 1)
	go func() { _, err := b.RetryAside(t.Context()); done <- err }()
	for !waitsForLock("RetryAside") {
		select {
		case err := <-done:
			t.Fatalf("expected that it waits, got %v", err)
		case <-time.After(time.Millisecond):
		}
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("expected the file in its place, got %v", err)
	}
	if _, err := b.RetryAside(t.Context()); !errors.Is(err, errRetrying) {
		t.Errorf("expected that one retry at a time is made, got %v", err)
	}
	b.asideFile.Unlock()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// waitsForLock reports whether a goroutine that runs a function waits for a lock.
func waitsForLock(function string) bool {
	b := make([]byte, 1<<20)
	for stack := range strings.SplitSeq(string(b[:runtime.Stack(b, true)]), "\n\n") {
		if strings.Contains(stack, function) && strings.Contains(stack, "[sync.Mutex.Lock") {
			return true
		}
	}
	return false
}
