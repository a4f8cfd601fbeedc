package resolve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Watcher is notified of the look-ups of a name. Its functions are called one at a time,
// from the name's goroutine, with no lock held.
type Watcher struct {
	// Found is called with the addresses, IPv4 before IPv6, each family in ascending
	// order, when they are first known and whenever the set has changed. IPv4 goes first
	// because an old UDP server more often listens on that alone.
	Found func([]netip.Addr)
	// Ended is called at the end of every look-up; err is nil when it found an address.
	Ended func(err error)
}

// Name is one host name that is looked up in the background.
type Name struct {
	// static after construction
	resolver  *Resolver
	host      string
	watcher   Watcher
	requested chan struct{}
	ctx       context.Context
	cancel    context.CancelFunc
	ended     sync.WaitGroup

	interval atomic.Int64 // a time.Duration: the pause after an answer; 0: the next look-up is at Refresh

	// owned by the goroutine
	v4, v6   []netip.Addr
	reported []netip.Addr
	failures int
}

// Name returns a name whose look-ups begin with Start. interval is the pause after an
// answer; 0 means that there is no further look-up until Refresh.
func (r *Resolver) Name(host string, interval time.Duration, w Watcher) *Name {
	ctx, cancel := context.WithCancel(context.Background())
	n := &Name{resolver: r, host: host, watcher: w, requested: make(chan struct{}, 1), ctx: ctx, cancel: cancel}
	n.interval.Store(int64(interval))
	return n
}

// Start looks the name up now, and then repeatedly until Close.
func (n *Name) Start() { n.ended.Go(func() { n.run(n.ctx) }) }

// SetInterval changes the pause after an answer, from the next look-up on.
func (n *Name) SetInterval(d time.Duration) {
	if n.interval.Swap(int64(d)) != int64(d) {
		n.Refresh()
	}
}

// Refresh requests a look-up, which begins at once, but not within a second of the last.
// It does not wait.
func (n *Name) Refresh() {
	select {
	case n.requested <- struct{}{}:
	default: // one is requested already
	}
}

// Close ends the look-ups; one in progress is cancelled.
func (n *Name) Close() {
	n.cancel()
	n.ended.Wait()
}

// run looks the name up until ctx is done.
func (n *Name) run(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-n.requested: // what begins now is what was requested
		default:
		}
		began := time.Now()
		err := n.lookup(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			n.failures++
		} else {
			n.failures = 0
		}
		n.watcher.Ended(err)
		n.pause(ctx, began)
	}
}

// pause waits until the next look-up is due, or ctx is done.
func (n *Name) pause(ctx context.Context, began time.Time) {
	var due <-chan time.Time
	if wait := n.wait(); wait > 0 {
		due = time.After(wait)
	}
	select {
	case <-due:
	case <-n.requested:
	case <-ctx.Done():
	}
	select {
	case <-time.After(shortestPause - time.Since(began)): // no sooner, even after Refresh
	case <-ctx.Done():
	}
}

// wait returns the pause before the next look-up without Refresh; 0: there is none.
func (n *Name) wait() time.Duration {
	interval := time.Duration(n.interval.Load())
	if n.failures == 0 {
		return interval
	}
	longest := interval
	if longest == 0 {
		longest = longestBackoff
	}
	return min(shortestPause<<min(n.failures-1, 16), max(longest, shortestPause))
}

// answer is the result of one family's look-up.
type answer struct {
	network string
	addrs   []netip.Addr
	err     error
}

// lookup looks both families up, and notifies the watcher if the addresses have changed.
func (n *Name) lookup(ctx context.Context) error {
	release, ok := n.resolver.acquire(ctx)
	if !ok {
		return ctx.Err()
	}
	defer release()
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	answers := make(chan answer) // both are waited for
	for _, network := range []string{"ip4", "ip6"} {
		go func() {
			addrs, err := n.resolver.lookup(ctx, network, n.host)
			answers <- answer{network, addrs, err}
		}()
	}
	first := <-answers
	select {
	case second := <-answers:
		return n.merge(first, second)
	case <-time.After(familyGrace):
	}
	if len(first.addrs) > 0 {
		n.store(first)
		n.report()
	}
	return n.merge(first, <-answers)
}

// merge stores the answers of both families. The error is nil when at least one has
// addresses.
func (n *Name) merge(a, b answer) error {
	if len(a.addrs) == 0 && len(b.addrs) == 0 {
		return n.failure(a, b)
	}
	n.store(a)
	n.store(b)
	n.report()
	return nil
}

// store replaces the addresses of one family, unless its look-up has failed.
func (n *Name) store(a answer) {
	if a.err != nil && !isNotFound(a.err) {
		return
	}
	addrs := make([]netip.Addr, 0, len(a.addrs))
	for _, addr := range a.addrs {
		addrs = append(addrs, addr.Unmap())
	}
	slices.SortFunc(addrs, netip.Addr.Compare)
	addrs = slices.Compact(addrs)
	if a.network == "ip4" {
		n.v4 = addrs
	} else {
		n.v6 = addrs
	}
}

// report passes the addresses on when they have changed.
func (n *Name) report() {
	all := slices.Concat(n.v4, n.v6)
	if slices.Equal(all, n.reported) {
		return
	}
	n.reported = all
	n.watcher.Found(slices.Clone(all))
}

// failure returns the error of a look-up that found no address.
func (n *Name) failure(a, b answer) error {
	for _, one := range []answer{a, b} {
		if one.err != nil && !isNotFound(one.err) {
			return one.err
		}
	}
	return fmt.Errorf("the name %q has no address", n.host)
}

// isNotFound reports whether err says that there is no such address, and not that the
// look-up has failed.
func isNotFound(err error) bool {
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return dns.IsNotFound
	}
	var addr *net.AddrError // the hosts file has the name with the other family only
	return errors.As(err, &addr)
}
