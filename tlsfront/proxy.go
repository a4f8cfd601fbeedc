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
)

// proxied reports whether the connection comes from a load balancer that says
// in a PROXY header who its peer is.
func (c *Config) proxied(from netip.Addr) bool {
	return slices.ContainsFunc(c.ProxyNetworks, func(p netip.Prefix) bool { return p.Contains(from) })
}

// errPortCheck is the error of a load balancer that closed its connection without
// sending anything: a look at the port.
var errPortCheck = errors.New("the load balancer closed the connection without sending anything, as a health check does")

// readProxyHeader reads the PROXY header, version 1 or 2, with which a
// connection from a load balancer must begin. It returns whose connection it
// is, and the octets that were read beyond the header. A connection of the load
// balancer itself (LOCAL, UNKNOWN), such as a health check, keeps its address.
func readProxyHeader(c net.Conn) (source netip.AddrPort, ahead []byte, err error) {
	r := bufio.NewReader(c)
	if _, err := r.Peek(1); errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) {
		return source, nil, errPortCheck
	}
	peeked, _ := r.Peek(min(r.Buffered(), helloSize))
	begins := bytes.Clone(peeked) // Read moves what is in the buffer
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

// describeNonProxy says what came in the place of a PROXY header.
func describeNonProxy(b []byte) string {
	what := recognize(b)
	switch {
	case len(b) >= helloSize && startsHello(b):
		return "a TLS ClientHello: the load balancer must send the header before it"
	case bytes.HasPrefix(b, []byte("PROXY")), len(b) > 3 && b[0] == '\r':
		return "one that is malformed"
	case what != "":
		return what
	}
	return fmt.Sprintf("bytes that begin with % x", b)
}
