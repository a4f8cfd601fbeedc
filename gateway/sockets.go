package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"radsec-gw/config"
	"radsec-gw/dtlsfront"
	"radsec-gw/dynauth"
	"radsec-gw/tlsfront"
)

// sockets are what a gateway listens on. They are immutable: a reload first opens those
// that are new, and when all of them are open closes those that are no longer wanted.
type sockets struct {
	radsec  []frontSockets
	web     *webSocket // nil: HTTP is not served
	tap     *tapSocket // nil: no taps are served
	dynamic []*dynauth.Listener
}

// webSocket is the listener of the HTTP side.
type webSocket struct {
	net.Listener
	address string // as the configuration has it
	ctx     context.Context
	cancel  context.CancelFunc // ends the serving, which closes the listener
}

// openSockets opens the sockets that cfg wants and that are not in have. It returns all
// that cfg wants, and which of them it has opened. On an error it closes what it has opened.
func (g *Gateway) openSockets(cfg *config.Config, have *sockets) (want, opened sockets, err error) {
	if want.radsec, opened.radsec, err = g.openFronts(cfg, have.radsec); err != nil {
		return want, opened, err
	}
	switch address := cfg.Metrics.Address; {
	case address == "":
	case have.web != nil && have.web.address == address:
		want.web = have.web
	default:
		if want.web, err = g.openWebSocket(address, have); err != nil {
			g.closeSockets(&opened)
			return want, opened, err
		}
		opened.web = want.web
	}
	if want.dynamic, opened.dynamic, err = g.openDynamic(cfg.DynamicAuthorization.Address, have.dynamic); err != nil {
		g.closeSockets(&opened)
		return want, opened, err
	}
	switch path := cfg.Tap.Socket; {
	case path == "":
	case have.tap != nil && have.tap.path == path:
		want.tap = have.tap
	default:
		want.tap = g.openTapSocket(path)
		opened.tap = want.tap
	}
	return want, opened, nil
}

// dynamicText returns the addresses of reverse CoA for a log line.
func (s *sockets) dynamicText() string {
	var list []string
	for _, l := range s.dynamic {
		list = append(list, l.Addr().String())
	}
	if len(list) == 0 {
		return "not served"
	}
	return strings.Join(list, ", ")
}

// openDynamic opens the UDP sockets of reverse CoA that are not in have. On an error it closes
// what it has opened.
func (g *Gateway) openDynamic(addresses []netip.AddrPort, have []*dynauth.Listener) (want, opened []*dynauth.Listener, err error) {
	for _, a := range addresses {
		if i := slices.IndexFunc(have, func(l *dynauth.Listener) bool { return l.Address == a }); i >= 0 {
			want = append(want, have[i])
			continue
		}
		if i := slices.IndexFunc(g.retired, func(l *dynauth.Listener) bool { return l.Address == a && l.Revive() }); i >= 0 {
			want = append(want, g.retired[i])
			g.retired = slices.Delete(g.retired, i, i+1)
			continue
		}
		l, err := dynauth.Listen(a, addresses...)
		if err != nil {
			for _, one := range opened {
				one.Close()
			}
			return nil, nil, fmt.Errorf("[dynamic_authorization].address: %w; %s", err, dynamicHint(err, a, append(slices.Clone(have), g.retired...)))
		}
		want, opened = append(want, l), append(opened, l)
	}
	return want, opened, nil
}

// dynamicHint returns advice on an error of opening a UDP socket.
func dynamicHint(err error, a netip.AddrPort, own []*dynauth.Listener) string {
	ours := func(l *dynauth.Listener) bool { return l.Address.Port() == a.Port() && a.Port() != 0 }
	switch {
	case errors.Is(err, syscall.EADDRINUSE) && slices.ContainsFunc(own, ours):
		return "this gateway itself still listens on that port, for answers that NASes may still send: reload again when [dynamic_authorization].timeout is over, or restart"
	case errors.Is(err, syscall.EADDRINUSE):
		return "another program uses the port, perhaps another gateway: \"ss -lunp\" names it"
	}
	return tlsfront.BindHint(err, a.Port())
}

// openWebSocket opens the listener of the HTTP side. The address may be a host name, which
// must resolve in time.
func (g *Gateway) openWebSocket(address string, have *sockets) (*webSocket, error) {
	const lookupTimeout = 2 * time.Second
	ctx, cancel := context.WithTimeout(g.ctx, lookupTimeout)
	defer cancel()
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		_, port, _ := net.SplitHostPort(address)
		number, _ := strconv.ParseUint(port, 10, 16)
		hint := tlsfront.BindHint(err, uint16(number)) + "; \"\" switches metrics off"
		if errors.Is(err, syscall.EADDRINUSE) && have.listensOn(port) {
			hint = "this gateway itself listens on that port until the reload is done: choose another one, or restart"
		}
		return nil, fmt.Errorf("[metrics].address: cannot listen on %q: %w; %s", address, err, hint)
	}
	s := &webSocket{Listener: l, address: address}
	s.ctx, s.cancel = context.WithCancel(g.ctx)
	return s, nil
}

// listensOn reports whether any of the TCP sockets has the port.
func (s *sockets) listensOn(port string) bool {
	all := listenersOf(s.radsec)
	if s.web != nil {
		all = append(all, s.web)
	}
	return slices.ContainsFunc(all, func(l net.Listener) bool { return fmt.Sprint(addrOf(l).Port()) == port })
}

// serveSockets starts to serve HTTP and taps on sockets that were opened. The RadSec side
// serves its own listeners.
func (g *Gateway) serveSockets(opened *sockets) {
	if w := opened.web; w != nil {
		g.running.Go(func() { g.addError(g.web.Serve(w.ctx, w)) })
	}
	if t := opened.tap; t != nil {
		g.running.Go(func() { g.hub.ServeTaps(g.ctx, t) })
	}
	for _, l := range opened.dynamic {
		g.running.Go(func() { g.dynauth.Serve(g.ctx, l) })
	}
}

// without returns the sockets that are not in other.
func (s *sockets) without(other *sockets) *sockets {
	var rest sockets
	for _, f := range s.radsec {
		f.listeners = slices.DeleteFunc(slices.Clone(f.listeners), func(l net.Listener) bool { return slices.Contains(listenersOf(other.radsec), l) })
		f.datagrams = slices.DeleteFunc(slices.Clone(f.datagrams), func(l *dtlsfront.Listener) bool {
			return slices.ContainsFunc(other.radsec, func(o frontSockets) bool { return slices.Contains(o.datagrams, l) })
		})
		rest.radsec = append(rest.radsec, f)
	}
	for _, l := range s.dynamic {
		if !slices.Contains(other.dynamic, l) {
			rest.dynamic = append(rest.dynamic, l)
		}
	}
	if s.web != other.web {
		rest.web = s.web
	}
	if s.tap != other.tap {
		rest.tap = s.tap
	}
	return &rest
}

// closeSockets closes sockets that were opened and are not served.
func (g *Gateway) closeSockets(s *sockets) {
	closeFronts(s.radsec)
	if s.web != nil {
		s.web.Close()
	}
	for _, l := range s.dynamic {
		l.Close()
	}
	g.endSockets(s)
}

// endSockets stops serving HTTP and taps on sockets that are no longer wanted. It does not
// interrupt responses and taps in progress. The RadSec side closes its own listeners.
func (g *Gateway) endSockets(s *sockets) {
	if s.web != nil {
		s.web.cancel()
	}
	if s.tap != nil { // removes the socket's file
		if err := g.reader.Call(g.ctx, s.tap.path, s.tap.Close); err != nil && g.ctx.Err() == nil {
			g.log.Warn("the socket of radsec-gw tap was not removed", "path", s.tap.path, "error", err)
		}
	}
}
