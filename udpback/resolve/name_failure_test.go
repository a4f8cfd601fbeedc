package resolve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// A name that is only looked up when somebody asks is asked for again after a failure,
// with pauses of up to 30 s, and no more once there is an answer.
func TestFailuresWithoutAnInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := newZone()
		z.set("ip4 a", servfail)
		n, _ := watch(z, "a", 0, false)
		defer n.Close()
		<-time.After(100 * time.Second) // failures at 0, 1, 3, 7, 15, 31, 61 and 91 s
		z.set("ip4 a", addrs("192.0.2.1"))
		<-time.After(time.Hour)
		if got, want := z.askedAt(), "[0s 1s 3s 7s 15s 31s 1m1s 1m31s 2m1s]"; got != want {
			t.Errorf("asked at %s, expected %s", got, want)
		}
	})
}

// A look-up fails when neither family has an address, for a reason that may pass if
// there is one.
func TestFailureSaysWhy(t *testing.T) {
	none := addrs()
	for _, row := range []struct {
		name     string
		ip4, ip6 func(context.Context) ([]netip.Addr, error)
		want     string
		at       time.Duration
	}{
		{"no such name", nil, nil, `the name "a" has no address`, 0},
		{"no address", none, none, `the name "a" has no address`, 0},
		{"the first cannot be found out", servfail, nil, "lookup : server misbehaving", 0},
		{"the second cannot be found out", nil, servfail, "lookup : server misbehaving", 0},
		{"the second hangs", nil, hang, "lookup : context deadline exceeded", lookupTimeout},
		{"one is found", addrs("192.0.2.1"), servfail, "", 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			z := newZone()
			if row.ip4 != nil {
				z.set("ip4 a", row.ip4)
			}
			if row.ip6 != nil {
				z.set("ip6 a", row.ip6)
			}
			s := &story{start: time.Now()}
			want := fmt.Sprintf("%v %s", row.at, row.want)
			n := New(z.lookup).Name("a", time.Hour, Watcher{Found: func([]netip.Addr) {}, Ended: func(err error) {
				if s.text() != "" {
					return
				}
				if err == nil {
					err = errors.New("")
				}
				s.add("%v", err)
			}})
			n.Start()
			<-time.After(lookupTimeout)
			defer n.Close()
			expect(t, s, want)
		})
	}
}

func TestIsNotFound(t *testing.T) {
	for _, row := range []struct {
		err  error
		want bool
	}{
		{&net.DNSError{IsNotFound: true}, true},
		{&net.DNSError{IsTimeout: true}, false},
		{fmt.Errorf("wrapped: %w", &net.AddrError{Err: "no suitable address"}), true},
		{errors.New("other"), false},
	} {
		if got := isNotFound(row.err); got != row.want {
			t.Errorf("isNotFound(%v) = %v, expected %v", row.err, got, row.want)
		}
	}
}
