package resolve

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// zone is a name server in a test: what each network and host gets, and when.
type zone struct {
	mu      sync.Mutex
	answers map[string]func(ctx context.Context) ([]netip.Addr, error) // by "network host"
	asked   []time.Duration                                            // when "ip4" was asked for, since start
	start   time.Time
	running int
	most    int // look-ups at the same time, both families of a name as one
}

func newZone() *zone {
	return &zone{answers: map[string]func(context.Context) ([]netip.Addr, error){}, start: time.Now()}
}

func (z *zone) lookup(ctx context.Context, network, host string) ([]netip.Addr, error) {
	z.mu.Lock()
	if network == "ip4" {
		z.asked = append(z.asked, time.Since(z.start))
		z.running++
		z.most = max(z.most, z.running)
		defer func() { z.mu.Lock(); z.running--; z.mu.Unlock() }()
	}
	answer := z.answers[network+" "+host]
	z.mu.Unlock()
	if answer == nil {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return answer(ctx)
}

// askedAt is when "ip4" was asked for.
func (z *zone) askedAt() string {
	z.mu.Lock()
	defer z.mu.Unlock()
	return fmt.Sprint(z.asked)
}

func (z *zone) set(key string, answer func(context.Context) ([]netip.Addr, error)) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.answers[key] = answer
}

func addrs(list ...string) func(context.Context) ([]netip.Addr, error) {
	var all []netip.Addr
	for _, s := range list {
		all = append(all, netip.MustParseAddr(s))
	}
	return func(context.Context) ([]netip.Addr, error) { return all, nil }
}

func after(d time.Duration, then func(context.Context) ([]netip.Addr, error)) func(context.Context) ([]netip.Addr, error) {
	return func(ctx context.Context) ([]netip.Addr, error) {
		select {
		case <-time.After(d):
			return then(ctx)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func hang(ctx context.Context) ([]netip.Addr, error) {
	<-ctx.Done()
	return nil, &net.DNSError{Err: ctx.Err().Error(), IsTimeout: true}
}

func servfail(context.Context) ([]netip.Addr, error) {
	return nil, &net.DNSError{Err: "server misbehaving", IsTemporary: true}
}

// story is what a watcher was told, with the time.
type story struct {
	mu    sync.Mutex
	start time.Time
	lines []string
}

func (s *story) add(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, fmt.Sprintf("%v ", time.Since(s.start))+fmt.Sprintf(format, args...))
}

func (s *story) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.lines, "; ")
}

func (s *story) watcher(failures bool) Watcher {
	return Watcher{
		Found: func(a []netip.Addr) { s.add("found %v", a) },
		Ended: func(err error) {
			if err != nil && failures {
				s.add("failed")
			}
		},
	}
}

func watch(z *zone, host string, interval time.Duration, failures bool) (*Name, *story) {
	s := &story{start: time.Now()}
	n := New(z.lookup).Name(host, interval, s.watcher(failures))
	n.Start()
	return n, s
}

func expect(t *testing.T, s *story, want string) {
	t.Helper()
	synctest.Wait()
	if got := s.text(); got != want {
		t.Errorf("the watcher was told\n  %s, expected\n  %s", got, want)
	}
}

// Addresses are told IPv4 first, each family in order, and once as long as the set
// is the same, in whatever order a name server gives it.
func TestRotationIsNoChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := newZone()
		z.set("ip4 a", addrs("192.0.2.2", "192.0.2.1"))
		z.set("ip6 a", addrs("2001:db8::1"))
		n, s := watch(z, "a", 10*time.Second, true)
		defer n.Close()
		<-time.After(15 * time.Second)
		z.set("ip4 a", addrs("192.0.2.1", "192.0.2.2"))
		<-time.After(30 * time.Second)
		expect(t, s, "0s found [192.0.2.1 192.0.2.2 2001:db8::1]")
		z.set("ip4 a", addrs("192.0.2.3"))
		<-time.After(10 * time.Second)
		expect(t, s, "0s found [192.0.2.1 192.0.2.2 2001:db8::1]; 50s found [192.0.2.3 2001:db8::1]")
	})
}

// One family that hangs does not keep the other back, and comes later if it comes.
func TestOneFamilyHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := newZone()
		z.set("ip4 a", addrs("192.0.2.1"))
		z.set("ip6 a", hang)
		n, s := watch(z, "a", time.Minute, true)
		defer n.Close()
		<-time.After(10 * time.Second)
		expect(t, s, "50ms found [192.0.2.1]")
		z.set("ip6 a", after(2*time.Second, addrs("2001:db8::1")))
		n.Refresh()
		<-time.After(10 * time.Second)
		expect(t, s, "50ms found [192.0.2.1]; 12s found [192.0.2.1 2001:db8::1]")
	})
}

// Failures change nothing, are tried again with growing pauses up to the interval,
// and an answer ends them.
func TestFailuresBackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := newZone()
		z.set("ip4 a", addrs("192.0.2.1"))
		n, s := watch(z, "a", 5*time.Second, false)
		defer n.Close()
		<-time.After(time.Second)
		z.set("ip4 a", servfail)
		z.set("ip6 a", servfail)
		<-time.After(20 * time.Second)
		z.set("ip4 a", nil) // and now it does not exist
		z.set("ip6 a", nil)
		<-time.After(9 * time.Second)
		z.set("ip4 a", addrs("192.0.2.2"))
		<-time.After(10 * time.Second)
		expect(t, s, "0s found [192.0.2.1]; 32s found [192.0.2.2]")
		// 5: the interval; then 1, 2, 4 and 5 s after failures.
		if got, want := z.askedAt(), "[0s 5s 6s 8s 12s 17s 22s 27s 32s 37s]"; got != want {
			t.Errorf("asked at %s, expected %s", got, want)
		}
	})
}

// Again asks at once, but a second after the last; many requests are one.
func TestRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := newZone()
		z.set("ip4 a", addrs("192.0.2.1"))
		n, _ := watch(z, "a", 0, true)
		defer n.Close()
		<-time.After(time.Hour)
		for range 100 {
			n.Refresh()
		}
		<-time.After(100 * time.Millisecond)
		n.Refresh()
		<-time.After(time.Hour)
		if got, want := z.askedAt(), "[0s 1h0m0s 1h0m1s]"; got != want {
			t.Errorf("asked at %s, expected %s", got, want)
		}
	})
	synctest.Test(t, func(t *testing.T) { // while the pause runs, and while a look-up does
		z := newZone()
		z.set("ip4 a", addrs("192.0.2.1"))
		n, _ := watch(z, "a", 0, true)
		defer n.Close()
		<-time.After(100 * time.Millisecond)
		n.Refresh()
		synctest.Wait()
		for range 100 {
			n.Refresh()
		}
		z.set("ip4 a", after(500*time.Millisecond, addrs("192.0.2.1")))
		<-time.After(time.Hour)
		if got, want := z.askedAt(), "[0s 1s]"; got != want {
			t.Errorf("asked at %s, expected %s: what is asked for in the pause is one look-up", got, want)
		}
		n.Refresh()
		<-time.After(100 * time.Millisecond)
		n.Refresh()
		<-time.After(time.Hour)
		if got, want := z.askedAt(), "[0s 1s 1h0m0.1s 1h0m1.1s]"; got != want {
			t.Errorf("asked at %s, expected %s: what is asked for in a look-up is another", got, want)
		}
	})
}

// Another interval has the name looked up, and is used from then on; the same again
// changes nothing.
func TestSetInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := newZone()
		z.set("ip4 a", addrs("192.0.2.1"))
		n, _ := watch(z, "a", 40*time.Second, true)
		defer n.Close()
		<-time.After(15 * time.Second)
		n.SetInterval(10 * time.Second)
		<-time.After(14 * time.Second)
		n.SetInterval(10 * time.Second)
		<-time.After(10 * time.Second)
		if got, want := z.askedAt(), "[0s 15s 25s 35s]"; got != want {
			t.Errorf("asked at %s, expected %s", got, want)
		}
	})
}

// Close waits for what the watcher is told, and begins no look-up.
func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := newZone()
		told, closed := make(chan bool), false
		n := New(z.lookup).Name("a", time.Minute, Watcher{Ended: func(error) { <-told }})
		n.Start()
		synctest.Wait()
		go func() {
			n.Close()
			closed = true
		}()
		synctest.Wait()
		if closed {
			t.Error("Close has not waited for the watcher")
		}
		told <- true
		synctest.Wait()
		if !closed {
			t.Error("Close still waits, expected that it has returned")
		}
		if got, want := z.askedAt(), "[0s]"; got != want {
			t.Errorf("asked at %s, expected %s", got, want)
		}
	})
}

// An address that a name server gives twice is one.
func TestAddressGivenTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := newZone()
		z.set("ip4 a", addrs("192.0.2.2", "192.0.2.1", "192.0.2.2"))
		n, s := watch(z, "a", time.Minute, true)
		defer n.Close()
		expect(t, s, "0s found [192.0.2.1 192.0.2.2]")
	})
}

// A family that a name no longer has goes; a name that has none at all keeps the last.
func TestAddressesGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := newZone()
		z.set("ip4 a", addrs("192.0.2.1"))
		z.set("ip6 a", addrs("2001:db8::1"))
		n, s := watch(z, "a", 10*time.Second, false)
		defer n.Close()
		<-time.After(5 * time.Second)
		z.set("ip4 a", func(context.Context) ([]netip.Addr, error) {
			return nil, &net.AddrError{Err: "no suitable address"} // what a hosts file gives
		})
		<-time.After(10 * time.Second)
		z.set("ip6 a", nil)
		<-time.After(time.Minute)
		expect(t, s, "0s found [192.0.2.1 2001:db8::1]; 10s found [2001:db8::1]")
	})
	synctest.Test(t, func(t *testing.T) { // one family goes at once, the other a while later
		z := newZone()
		z.set("ip4 a", addrs("192.0.2.1"))
		z.set("ip6 a", addrs("2001:db8::1"))
		n, s := watch(z, "a", 10*time.Second, false)
		defer n.Close()
		<-time.After(5 * time.Second)
		z.set("ip4 a", nil)
		z.set("ip6 a", after(time.Second, func(context.Context) ([]netip.Addr, error) {
			return nil, &net.DNSError{Err: "no such host", IsNotFound: true}
		}))
		<-time.After(10 * time.Second)
		expect(t, s, "0s found [192.0.2.1 2001:db8::1]")
	})
}
