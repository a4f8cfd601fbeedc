package config

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// Metrics is [metrics]: the HTTP side.
type Metrics struct {
	// /metrics, /healthz, /readyz, /loglevel and the status page at /. Host and
	// port; "": not served.
	// Default: "127.0.0.1:9713"
	Address string

	// The token that is required for everything but /healthz and /readyz, and for the
	// reasons of /readyz: as "Authorization: Bearer …", or in a browser as the password
	// with any user name. Changing the log level over HTTP needs it. At most one of token, token_file (a file
	// that holds it) and token_env (the name of an environment variable).
	// Default: none, everybody who reaches the address sees it
	Token Secret // may be empty

	// Names that HTTP requests without the token may be for, in the Host header field: a
	// name, "*.example.org" for all names below it, or "*" for every name. Allowed in any
	// case are IP addresses, localhost, this machine's host name and the host in address,
	// and everything for /healthz and /readyz. Requests for another name are answered
	// with 421: it may be the name of a web site that lets a browser read this page (DNS
	// rebinding). Prometheus sends the name that its target has.
	// Default: []
	Hosts []string

	// HTTPS: a certificate chain and its key (PEM). TLS 1.2 is accepted with the same
	// cipher suites as those that [listen] has by default.
	// Default: none, plain HTTP
	Certificate string // path
	// Required with certificate, and only there.
	PrivateKey string // path; given when Certificate is

	// When /readyz answers that the gateway is ready, besides that it must accept connections:
	// "any": at least one route is served, or one of its kinds of packets; a realm that is
	// dead does not take the gateway out of service for all others. Kinds that no server is
	// checked for, such as coa and disconnect, count only for routes that have no other
	// kinds: whether such a port answers is not known. "all": every route is served, for all
	// of its kinds. Routes with ready = false do not count. After a start it is not ready
	// before each port that is checked has answered once or was found down.
	// Default: "any"
	ReadyWhen string // ReadyAny or ReadyAll

	// Whether Go's profiles are served at /debug/pprof/.
	// Default: false
	PProf bool
}

// Values of Metrics.ReadyWhen.
const (
	ReadyAny = "any" // at least one route is served
	ReadyAll = "all" // every route is served
)

func defaultMetrics() Metrics { return Metrics{Address: "127.0.0.1:9713", ReadyWhen: ReadyAny} }

// readMetrics reads [metrics].
func readMetrics(t *table) Metrics {
	m := defaultMetrics()
	if t.text("address", &m.Address) && m.Address != "" {
		if err := checkHostPort(m.Address); err != nil {
			t.r.wrong(joinKey(t.path, "address"), "%v", err)
		}
	}
	readToken(t, &m)
	t.texts("hosts", func(path, s string) {
		if err := checkHTTPHost(s); err != nil {
			t.r.wrong(path, "%v", err)
		}
		m.Hosts = append(m.Hosts, s)
	})
	t.file("certificate", &m.Certificate, MaxCertificates)
	t.file("private_key", &m.PrivateKey, MaxKeys)
	for _, pair := range [][2]string{{"certificate", "private_key"}, {"private_key", "certificate"}} {
		if t.has(pair[0]) {
			t.require(pair[1], "the path of a PEM file, since "+pair[0]+" is given")
		}
	}
	t.choice("ready_when", &m.ReadyWhen, ReadyAny, ReadyAll)
	t.flag("pprof", &m.PProf)
	t.done()
	return m
}

// readToken reads the token. Blanks around it do not count, because a header field cannot
// carry them (RFC 9110 §5.5).
func readToken(t *table, m *Metrics) {
	before := len(t.r.warnings)
	if !t.secret("token", &m.Token, false) || m.Token.Len() == 0 {
		return
	}
	token := strings.TrimSpace(string(m.Token.Bytes()))
	switch {
	case token == "":
		t.r.wrong(joinKey(t.path, "token"), "expected a token, got only blanks")
	case strings.ContainsFunc(token, func(c rune) bool { return c < ' ' || c == 0x7f }):
		t.r.wrong(joinKey(t.path, "token"), "expected a token without control characters: HTTP cannot carry them")
	case len(token) < m.Token.Len():
		for i := range t.r.warnings[before:] {
			w := &t.r.warnings[before+i]
			w.Text = strings.Replace(w.Text, ", which are part of it", ": they are ignored, because HTTP cannot carry them", 1)
		}
	}
	m.Token = NewSecret(token)
}

// checkHTTPHost checks a name of [metrics].hosts.
func checkHTTPHost(s string) error {
	if s == "*" || isHostName(strings.TrimPrefix(s, "*.")) {
		return nil
	}
	if _, err := netip.ParseAddr(s); err == nil {
		return fmt.Errorf("expected a host name, got %q: IP addresses are always allowed", s)
	}
	return fmt.Errorf(`expected a host name without a port, "*." before one, or "*", got %q`, s)
}

const (
	// shortToken is the length in bytes below which a token is warned of: 22 characters of
	// base64 are 128 bits.
	shortToken = 22
	// shortSalt is the same for hash_salt.
	shortSalt = 16
)

func (c *Config) warnMetrics(warn warner) {
	m := &c.Metrics
	if slices.Contains(m.Hosts, "*") && m.Token.Len() == 0 {
		warn("metrics.hosts", `"*" lets any web site that a browser of this network visits read the metrics and the status page (DNS rebinding): set a token`)
	}
	if n := m.Token.Len(); n > 0 && n < shortToken {
		warn("metrics.token", "the token has %d bytes and can be guessed: take %d or more, at random (openssl rand -hex 16)", n, shortToken)
	}
	host, _, err := net.SplitHostPort(m.Address)
	if err != nil {
		return
	}
	if a, err := netip.ParseAddr(host); host == "localhost" || err == nil && a.Unmap().IsLoopback() {
		return
	}
	switch {
	case m.Token.Len() == 0:
		warn("metrics.address", "%s can be reached from other machines, and everybody there may read the metrics and the status page: set a token", m.Address)
	case m.Certificate == "":
		warn("metrics.address", "%s can be reached from other machines, and the token goes there in clear: set certificate and private_key", m.Address)
	}
	if m.PProf {
		warn("metrics.pprof", "profiles are served at %s, which can be reached from other machines: they show what is in memory and cost processor time", m.Address)
	}
}
