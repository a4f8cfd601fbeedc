//go:build lockorder

package locks

import (
	"fmt"
	"sync"
	"testing"
)

// Acquiring locks out of order panics.
func TestOrder(t *testing.T) {
	var server, member Mutex[Server]
	var socket, other Mutex[Socket]
	var exchange Mutex[Exchange]
	var tap Mutex[Tap]
	var output Mutex[Output]
	for _, row := range []struct {
		name  string
		locks []sync.Locker
		want  string
	}{
		{"in order", []sync.Locker{&server, &socket, &exchange}, ""},
		{"one left out", []sync.Locker{&server, &exchange}, ""},
		{"one of a class that nests, and another", []sync.Locker{&server, &member, &socket}, ""},
		{"inverted", []sync.Locker{&exchange, &socket}, "locks: udpback.socket.mu is acquired by a goroutine that holds udpback.Exchange.mu"},
		{"inverted, with one between", []sync.Locker{&socket, &exchange, &server}, "locks: udpback.Server.mu is acquired by a goroutine that holds udpback.socket.mu"},
		{"two of a class that does not nest", []sync.Locker{&socket, &other}, "locks: udpback.socket.mu is acquired by a goroutine that holds udpback.socket.mu"},
		{"two of a group", []sync.Locker{&tap, new(Mutex[Syslog])}, "locks: audit.syslog.mu is acquired by a goroutine that holds audit.tap.mu"},
		{"a log line with a leaf held", []sync.Locker{&tap, &output}, ""},
	} {
		if got := panics(func() { lockAll(row.locks) }); got != row.want {
			t.Errorf("%s: it panics with %q, expected %q", row.name, got, row.want)
		}
	}
}

// lockAll locks one after the other, and unlocks them, whatever happens.
func lockAll(all []sync.Locker) {
	for _, l := range all {
		l.Lock()
		defer l.Unlock()
	}
}

// panics returns what f panics with; empty when it does not.
func panics(f func()) (what string) {
	defer func() {
		if v := recover(); v != nil {
			what = fmt.Sprint(v)
		}
	}()
	f()
	return ""
}

// Locks that were released no longer count, in whatever order; and those of other
// goroutines do not count.
func TestOrderAfterRelease(t *testing.T) {
	var server Mutex[Server]
	var socket Mutex[Socket]
	server.Lock()
	socket.Lock()
	server.Unlock()
	socket.Unlock()
	server.Lock()
	done := make(chan string)
	socket.Lock()
	go func() { done <- panics(func() { lockAll([]sync.Locker{new(Mutex[Server]), new(Mutex[Socket])}) }) }()
	if got := <-done; got != "" {
		t.Errorf("another goroutine panics with %q", got)
	}
	go func() { done <- panics(socket.Unlock) }()
	if got, want := <-done, "locks: udpback.socket.mu is unlocked by a goroutine that has not locked it"; got != want {
		t.Errorf("unlocking by another goroutine panics with %q, expected %q", got, want)
	}
	socket.Unlock()
	server.Unlock()
}
