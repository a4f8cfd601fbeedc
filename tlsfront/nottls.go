package tlsfront

import (
	"bytes"
	"fmt"

	"radsec-gw/wire"
)

// describeNonTLS describes the bytes that arrived instead of a ClientHello, and says what
// to do. b is what was read, often no more than helloSize bytes.
func describeNonTLS(b []byte) string {
	const expected = "expected a TLS ClientHello, got "
	if what := recognize(b); what != "" {
		return expected + what
	}
	return fmt.Sprintf(expected+"bytes that begin with % x; the peer must speak TLS from the first byte (RFC 6614 §2.3)", b[:min(len(b), helloSize)])
}

// recognize describes the protocol that b starts with, one of those that are often sent to
// this port by mistake, or returns "".
func recognize(b []byte) string {
	for _, p := range protocols {
		for _, start := range p.starts {
			n := min(len(b), len(start))
			if n >= 3 && bytes.Equal(b[:n], []byte(start)[:n]) {
				return p.text
			}
		}
	}
	switch {
	case isRadius(b):
		return fmt.Sprintf("RADIUS in clear (Code %d, Length %d): the peer must speak RADIUS over TLS (RFC 6614), not over bare TCP (RFC 6613)", b[0], int(b[2])<<8|int(b[3]))
	case len(b) >= 5 && b[0]&0x80 != 0 && b[2] == 1 && (b[3] == 3 || b[3] == 0 && b[4] == 2):
		return "a ClientHello in the form of SSL 2: the peer must offer TLS 1.2 or newer"
	case len(b) >= 3 && b[0] == recordAlert && b[1] == 3:
		return "a TLS alert: the peer aborted before it started, or acts as a server"
	case len(b) >= 6 && b[0] == recordHandshake && b[1] == 3 && b[5] == 2:
		return "a ServerHello: the peer acts as a TLS server; it must act as a client"
	case len(b) >= 3 && b[0] == recordHandshake && b[1] == 0xfe:
		return "a record of DTLS, which runs over UDP (RFC 7360), not over TCP"
	}
	return ""
}

// isRadius reports whether b starts with a known Code and a possible Length
// (RFC 2865 §3).
func isRadius(b []byte) bool {
	if len(b) < 4 {
		return false
	}
	length := int(b[2])<<8 | int(b[3])
	known := b[0] >= 1 && b[0] <= 5 || b[0] >= 11 && b[0] <= 13 || b[0] >= 40 && b[0] <= 45 || b[0] == 52
	return known && length >= wire.MinLength && length <= wire.MaxLength
}

var protocols = []struct {
	text   string
	starts []string
}{
	{"a PROXY header: the load balancer's address must be in proxy_protocol, or the balancer must not send one",
		[]string{"PROXY ", "\r\n\r\n\x00\r\nQUIT\n"}},
	{"an HTTP request: this is the RadSec port; the status page and /metrics are at [metrics].address",
		[]string{"GET ", "HEAD ", "POST ", "PUT ", "OPTIONS ", "CONNECT ", "DELETE ", "PATCH ", "TRACE ", "PRI * HTTP"}},
	{"a request for STARTTLS: the peer must speak TLS from the first byte (RFC 6614 §2.3)",
		[]string{"STARTTLS", "EHLO ", "HELO ", "LHLO ", "a001 STARTTLS"}},
	{"SSH: this is the RadSec port", []string{"SSH-"}},
}
