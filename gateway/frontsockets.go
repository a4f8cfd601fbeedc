package gateway

import (
	"fmt"
	"net"
	"net/netip"
	"slices"

	"radsec-gw/config"
	"radsec-gw/config/defaults"
	"radsec-gw/tlsfront"
)

// frontSockets are the sockets of a front.
type frontSockets struct {
	name      string
	addresses []netip.AddrPort // as configured; nil if Options has the listeners
	listeners []net.Listener
}

// passed returns the sockets of [listen] that Options has; nil if it has none.
func passed(given []net.Listener) []frontSockets {
	if len(given) == 0 {
		return nil
	}
	return []frontSockets{{name: defaults.Listener, listeners: given}}
}

// listenersOf returns the sockets of all fronts.
func listenersOf(list []frontSockets) (all []net.Listener) {
	for _, f := range list {
		all = append(all, f.listeners...)
	}
	return all
}

// openFronts opens the sockets of the fronts that cfg wants and that are not in have. On an
// error it closes what it has opened.
func (g *Gateway) openFronts(cfg *config.Config, have []frontSockets) (want, opened []frontSockets, err error) {
	defer func() {
		if err != nil {
			for _, l := range listenersOf(opened) {
				l.Close()
			}
		}
	}()
	now := allAddresses(cfg)
	for i, f := range cfg.Fronts() {
		if i == 0 && g.inherited {
			want = append(want, have[0])
			continue
		}
		one := frontSockets{name: f.Name, addresses: f.Listen.Address}
		old, moved, err := oldSockets(&one, have)
		opened = append(opened, frontSockets{name: f.Name, listeners: moved})
		if err != nil {
			return nil, opened, fmt.Errorf("%s: %w", f.Key("address"), err)
		}
		before := tlsfront.Addresses{Own: old.addresses}
		for _, o := range have {
			before.All = append(before.All, o.addresses...)
		}
		var new []net.Listener
		one.listeners, new, err = tlsfront.Listen(old.listeners, before, tlsfront.Addresses{Own: one.addresses, All: now})
		if err != nil {
			return nil, opened, fmt.Errorf("%s: %w", frontKey(&f), err)
		}
		opened = append(opened, frontSockets{name: f.Name, listeners: new})
		want = append(want, one)
	}
	return want, opened, nil
}

// frontKey names the addresses of a front in errors.
func frontKey(f *config.Front) string {
	if f.Name == defaults.Listener {
		return "[listen].address"
	}
	return fmt.Sprintf("address of [[listener]] %q", f.Name)
}

// allAddresses returns the addresses of all fronts.
func allAddresses(cfg *config.Config) (list []netip.AddrPort) {
	for _, f := range cfg.Fronts() {
		list = append(list, f.Listen.Address...)
	}
	return list
}

// oldSockets returns the sockets that a front has already, with those of its addresses that
// another front has: a copy of each, so that the other can close its own while the kernel's
// socket, and who waits in its backlog, stays.
func oldSockets(want *frontSockets, have []frontSockets) (old frontSockets, moved []net.Listener, err error) {
	if i := slices.IndexFunc(have, func(f frontSockets) bool { return f.name == want.name }); i >= 0 {
		old.addresses, old.listeners = slices.Clone(have[i].addresses), slices.Clone(have[i].listeners)
	}
	for _, a := range want.addresses {
		if a.Port() == 0 || slices.Contains(old.addresses, a) {
			continue
		}
		for _, other := range have {
			i := slices.Index(other.addresses, a)
			if i < 0 {
				continue
			}
			l, err := duplicate(other.listeners[i])
			if err != nil {
				return old, moved, err
			}
			old.addresses, old.listeners, moved = append(old.addresses, a), append(old.listeners, l), append(moved, l)
			break
		}
	}
	return old, moved, nil
}

// duplicate returns another descriptor of a listener's socket.
func duplicate(l net.Listener) (net.Listener, error) {
	file, err := l.(*net.TCPListener).File()
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return net.FileListener(file)
}
