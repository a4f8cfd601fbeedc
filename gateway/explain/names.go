package explain

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"radsec-gw/config"
)

// maxLookups is how many names are looked up at the same time.
const maxLookups = 64

// names holds the addresses of the servers' host names.
type names map[string]addresses

// addresses is the result of a lookup.
type addresses struct {
	list []netip.Addr // IPv4 before IPv6, each in ascending order: the gateway uses the first
	err  error
}

// resolveNames looks up the servers' host names concurrently, until ctx is done. resolve is
// net.Resolver.LookupNetIP, or a function that behaves like it.
func resolveNames(ctx context.Context, cfg *config.Config, resolve func(ctx context.Context, network, host string) ([]netip.Addr, error)) names {
	found := names{}
	for i := range cfg.Servers {
		if s := &cfg.Servers[i]; s.HasHostName() {
			found[s.Address] = addresses{}
		}
	}
	var mu sync.Mutex
	var running sync.WaitGroup
	slots := make(chan struct{}, maxLookups)
	for _, host := range sortedKeys(found) {
		slots <- struct{}{}
		running.Go(func() {
			defer func() { <-slots }()
			list, err := resolve(ctx, "ip", host)
			mu.Lock()
			defer mu.Unlock()
			found[host] = addresses{ordered(list), err}
		})
	}
	running.Wait()
	return found
}

func sortedKeys(n names) (list []string) {
	for host := range n {
		list = append(list, host)
	}
	slices.Sort(list)
	return list
}

// lookup returns the addresses of a host name as net.Resolver.LookupNetIP does.
func (n names) lookup(_ context.Context, _, host string) ([]netip.Addr, error) {
	return n[host].list, n[host].err
}

// ordered returns the addresses in the order in which the gateway uses them.
func ordered(list []netip.Addr) []netip.Addr {
	all := make([]netip.Addr, 0, len(list))
	for _, a := range list {
		all = append(all, a.Unmap())
	}
	slices.SortFunc(all, netip.Addr.Compare) // which puts IPv4 first
	return slices.Compact(all)
}

// describeName says which addresses a server's host name has now, and when it is looked up
// again; nothing for a server with an IP address.
func describeName(s *config.Server, n names) []string {
	if !s.HasHostName() {
		return nil
	}
	var list []string
	for _, a := range n[s.Address].list {
		list = append(list, a.String())
	}
	lines := []string{s.Address + " is " + strings.Join(list, ", ") + " now"}
	switch {
	case len(list) == 0:
		lines = []string{s.Address + " has no address now", "until it has one, the server is down; nothing waits for the name server"}
	case s.Expand:
		lines = append(lines, "each address is a server of its own while the name has it: "+s.Name+"@"+strings.Join(list, ", "+s.Name+"@"))
	case len(list) > 1:
		lines = append(lines, "that is one server, used at one address at a time: the first, and the next when nothing is received from it")
	}
	again := "only when the server is silent, and at SIGHUP"
	if s.ResolveInterval > 0 {
		again = fmt.Sprintf("every %v, when the server is silent, and at SIGHUP", s.ResolveInterval.Round(time.Millisecond))
	}
	return append(lines, "the name is looked up in the background: "+again, "while that fails, the last addresses stay in use")
}
