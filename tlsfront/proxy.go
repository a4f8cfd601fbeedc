package tlsfront

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"syscall"

	"github.com/pires/go-proxyproto"

	"radsec-gw/metrics"
	"radsec-gw/sessions"
)

// proxied reports whether the connection is from a load balancer, which sends a PROXY
// header with the address of its peer.
func (c *Config) proxied(from netip.Addr) bool {
	return slices.ContainsFunc(c.ProxyNetworks, func(p netip.Prefix) bool { return p.Contains(from) })
}

// portCheck is the refusal of a peer that closed its connection without sending anything.
var portCheck = sessions.Refusef(metrics.HandshakePeerClosed, "the peer connected and closed, such as a load balancer that checks whether the port is open")

// readProxyHeader reads the PROXY header, version 1 or 2, that a connection from a load
// balancer must begin with. It returns the source in it, and the octets that were read
// beyond it. For a connection of the load balancer itself (LOCAL, UNKNOWN), such as a
// health check, it returns the load balancer's address.
func readProxyHeader(c net.Conn) (source netip.AddrPort, ahead []byte, err error) {
	r := bufio.NewReader(c)
	if _, err := r.Peek(1); errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) {
		return source, nil, portCheck
	}
	peeked, _ := r.Peek(min(r.Buffered(), helloSize))
	begins := bytes.Clone(peeked) // Read moves the content of the buffer
	h, err := proxyproto.Read(r)
	if err != nil {
		return source, nil, fmt.Errorf("expected a PROXY header (version 1 or 2), as this address is in proxy_protocol, got %s: %w", describeNonProxy(begins), err)
	}
	ahead, _ = r.Peek(r.Buffered())
	if h.Command.IsLocal() || h.TransportProtocol == proxyproto.UNSPEC {
		return addrPort(c.RemoteAddr()), ahead, nil
	}
	if source = addrPort(h.SourceAddr); !source.IsValid() {
		return source, nil, fmt.Errorf("expected a PROXY header with a TCP address, got %v", h.SourceAddr)
	}
	return source, ahead, nil
}

// describeNonProxy describes what arrived instead of a PROXY header.
func describeNonProxy(b []byte) string {
	what := recognize(b)
	switch {
	case len(b) >= helloSize && startsHello(b):
		return "a TLS ClientHello: the load balancer must send the header before it"
	case bytes.HasPrefix(b, []byte("PROXY")), len(b) > 3 && b[0] == '\r':
		return "a malformed one"
	case what != "":
		return what
	}
	return fmt.Sprintf("bytes that begin with % x", b)
}
