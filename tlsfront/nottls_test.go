package tlsfront

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// A peer that does not start with TLS gets no answer, whether it sends RADIUS or would
// start TLS later (RFC 6614bis §3.1).
//
// Rules: P101
func TestNoAnswerWithoutTLS(t *testing.T) {
	status := packet(20, 7)
	status[0] = 12
	for name, sent := range map[string][]byte{
		"an Access-Request":                   packet(38, 7),
		"a Status-Server":                     status,
		"STARTTLS and a ClientHello":          append([]byte("STARTTLS\r\n"), rawHello{version: 0x0303, suites: []uint16{0xc02b}}.record()...),
		"a ClientHello without its record":    rawHello{version: 0x0303, suites: []uint16{0xc02b}}.record()[5:],
		"RADIUS in clear, then a ClientHello": append(packet(20, 7), rawHello{version: 0x0303, suites: []uint16{0xc02b}}.record()...),
	} {
		f := startTCP(t, nil)
		raw := must(net.Dial("tcp", f.addr))
		raw.SetDeadline(time.Now().Add(patience))
		raw.Write(sent)
		if got, _ := io.ReadAll(raw); len(got) != 0 { // the end may be a reset, as something was left unread
			t.Errorf("%s gets % x, expected nothing", name, got)
		}
		raw.Close()
		f.awaitMetric(`radsec_gw_tls_handshakes_total{result="not_tls"}`, 1)
	}
}

// Protocols that are sent to the port by mistake are recognized.
//
// Rules: P101
func TestOtherProtocolsAreNamed(t *testing.T) {
	for name, c := range map[string]struct{ bytes, text string }{
		"PROXY version 1":       {string(proxyHeader(1, "192.0.2.7:4711")), "a PROXY header: the load balancer's address must be in proxy_protocol"},
		"PROXY version 2":       {string(proxyHeader(2, "192.0.2.7:4711")), "a PROXY header"},
		"HTTP":                  {"GET / HTTP/1.1\r\n\r\n", "an HTTP request"},
		"another HTTP request":  {"OPTIONS / HTTP/1.1\r\n\r\n", "an HTTP request"},
		"HTTP/2":                {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "an HTTP request"},
		"RADIUS in clear":       {string(packet(20, 7)), "RADIUS in clear (Code 1, Length 20)"},
		"Status-Server":         {"\x0c\x01\x00\x26" + strings.Repeat("x", 34), "RADIUS in clear (Code 12, Length 38)"},
		"SSL 2":                 {"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10", "a ClientHello in the form of SSL 2"},
		"TLS 1.0 in SSL 2":      {"\x80\x2e\x01\x03\x01\x00\x15\x00\x00\x00\x10", "a ClientHello in the form of SSL 2"},
		"STARTTLS":              {"STARTTLS\r\n", "a request for STARTTLS"},
		"SMTP":                  {"EHLO there\r\n", "a request for STARTTLS"},
		"SSH":                   {"SSH-2.0-OpenSSH\r\n", "SSH"},
		"an alert":              {"\x15\x03\x01\x00\x02\x02\x46", "a TLS alert"},
		"a ServerHello":         {"\x16\x03\x03\x00\x31\x02\x00", "a ServerHello"},
		"DTLS":                  {"\x16\xfe\xff\x00\x00\x00", "a record of DTLS"},
		"nothing known":         {"\x00\x01\x02\x03\x04\x05", "bytes that begin with 00 01 02"},
		"a length out of range": {"\x01\x07\x00\x13", "bytes that begin with 01 07 00 13"},
	} {
		t.Run(name, func(t *testing.T) {
			f := startTCP(t, nil)
			raw := must(net.Dial("tcp", f.addr))
			defer raw.Close()
			io.WriteString(raw, c.bytes)
			raw.(*net.TCPConn).CloseWrite()
			readToEnd(raw)
			raw.Close()
			f.awaitMetric(`radsec_gw_tls_handshakes_total{result="not_tls"}`, 1)
			f.stop()
			f.wantLine("result=not_tls", "expected a TLS ClientHello, got "+c.text)
		})
	}
}
