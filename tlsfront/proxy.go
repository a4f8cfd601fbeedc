package tlsfront

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"syscall"

	"github.com/pires/go-proxyproto"
)

// proxied reports whether the connection comes from a load balancer that says
// in a PROXY header who its peer is.
func (c *Config) proxied(from netip.Addr) bool {
	return slices.ContainsFunc(c.ProxyNetworks, func(p netip.Prefix) bool { return p.Contains(from) })
}

// errOnlyLooked is the error of a load balancer that closed its connection without
// sending anything: a look at the port.
var errOnlyLooked = errors.New("the load balancer closed the connection without sending anything, as a health check does")

// readProxyHeader reads the PROXY header, version 1 or 2, with which a
// connection from a load balancer must begin. It returns whose connection it
// is, and the octets that were read beyond the header. A connection of the load
// balancer itself (LOCAL, UNKNOWN), such as a health check, keeps its address.
func readProxyHeader(c net.Conn) (source netip.AddrPort, ahead []byte, err error) {
	r := bufio.NewReader(c)
	if _, err := r.Peek(1); errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) {
		return source, nil, errOnlyLooked
	}
	h, err := proxyproto.Read(r)
	if err != nil {
		return source, nil, fmt.Errorf("expected a PROXY header (version 1 or 2) from this load balancer: %w", err)
	}
	ahead, _ = r.Peek(r.Buffered())
	if h.Command.IsLocal() || h.TransportProtocol == proxyproto.UNSPEC {
		return addrPort(c.RemoteAddr()), ahead, nil
	}
	if source = addrPort(h.SourceAddr); !source.IsValid() {
		return source, nil, fmt.Errorf("expected a PROXY header with a TCP address, came %v", h.SourceAddr)
	}
	return source, ahead, nil
}
