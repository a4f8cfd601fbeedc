package gateway

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"

	"radsec-gw/config"
	"radsec-gw/config/defaults"
	"radsec-gw/dtlsfront"
	"radsec-gw/tlsfront"
)

// frontSockets are the sockets of a front.
type frontSockets struct {
	name      string
	addresses []netip.AddrPort      // as configured; nil if Options has the listeners
	listeners []net.Listener        // of TLS
	datagrams []*dtlsfront.Listener // of DTLS
}

// addrs returns the addresses of the sockets.
func (f *frontSockets) addrs() (list []string) {
	for _, l := range f.listeners {
		list = append(list, l.Addr().String())
	}
	for _, l := range f.datagrams {
		list = append(list, l.Addr().String())
	}
	return list
}

// passed returns the sockets of [listen] that Options has; nil if it has none.
func passed(given []net.Listener) []frontSockets {
	if len(given) == 0 {
		return nil
	}
	return []frontSockets{{name: defaults.Listener, listeners: given}}
}

// listenersOf returns the TCP sockets of all fronts.
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
			closeFronts(opened)
		}
	}()
	now := map[string][]netip.AddrPort{}
	for _, f := range cfg.Fronts() {
		now[f.Transport] = append(now[f.Transport], f.Listen.Address...)
	}
	for i, f := range cfg.Fronts() {
		if i == 0 && g.inherited {
			want = append(want, have[0])
			continue
		}
		one := frontSockets{name: f.Name, addresses: f.Listen.Address}
		if f.Transport == config.TransportDTLS {
			new, err := openDatagrams(&one, have, now[f.Transport])
			opened = append(opened, frontSockets{name: f.Name, datagrams: new})
			if err != nil {
				return nil, opened, fmt.Errorf("%s: %w", frontKey(&f), err)
			}
			want = append(want, one)
			continue
		}
		old, moved, err := oldSockets(&one, have)
		opened = append(opened, frontSockets{name: f.Name, listeners: moved})
		if err != nil {
			return nil, opened, fmt.Errorf("%s: %w", f.Key("address"), err)
		}
		before := tlsfront.Addresses{Own: old.addresses}
		for _, o := range have {
			if len(o.listeners) > 0 {
				before.All = append(before.All, o.addresses...)
			}
		}
		var new []net.Listener
		one.listeners, new, err = tlsfront.Listen(old.listeners, before, tlsfront.Addresses{Own: one.addresses, All: now[f.Transport]})
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

// openDatagrams gives a front its UDP sockets: those that it has already, and new ones, which it
// returns, too.
func openDatagrams(want *frontSockets, have []frontSockets, all []netip.AddrPort) (opened []*dtlsfront.Listener, err error) {
	var old []*dtlsfront.Listener
	if i := slices.IndexFunc(have, func(f frontSockets) bool { return f.name == want.name }); i >= 0 {
		old = slices.Clone(have[i].datagrams)
	}
	for _, a := range want.addresses {
		if i := slices.IndexFunc(old, func(l *dtlsfront.Listener) bool { return l.Address == a }); i >= 0 {
			want.datagrams = append(want.datagrams, old[i])
			old = slices.Delete(old, i, i+1)
			continue
		}
		l, err := dtlsfront.Listen(a, all...)
		if err != nil {
			return opened, fmt.Errorf("%w; %s", err, datagramHint(err, a, have))
		}
		want.datagrams, opened = append(want.datagrams, l), append(opened, l)
	}
	return opened, nil
}

// datagramHint returns advice on an error of opening a UDP socket.
func datagramHint(err error, a netip.AddrPort, have []frontSockets) string {
	ours := func(f frontSockets) bool {
		return slices.ContainsFunc(f.datagrams, func(l *dtlsfront.Listener) bool { return l.Address.Port() == a.Port() })
	}
	switch {
	case errors.Is(err, syscall.EADDRINUSE) && slices.ContainsFunc(have, ours):
		return "another listener of this gateway has the port until the reload is done: the sessions there could not go on; use another port, or restart"
	case errors.Is(err, syscall.EADDRINUSE) && len(have) == 0:
		return "another program uses the port, perhaps another gateway: \"ss -lunp\" names it"
	case errors.Is(err, syscall.EADDRINUSE):
		return "another program uses the port (\"ss -lunp\" names it), or sessions of this gateway there have not ended yet: they do within drain_timeout, so request the reload again then"
	}
	return tlsfront.BindHint(err, a.Port())
}

// closeFronts closes the sockets of fronts.
func closeFronts(list []frontSockets) {
	for _, f := range list {
		for _, l := range f.listeners {
			l.Close()
		}
		for _, l := range f.datagrams {
			l.Close()
		}
	}
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
			if i < 0 || len(other.listeners) == 0 {
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
