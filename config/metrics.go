package config

import (
	"net"
	"net/netip"
)

// Metrics is [metrics]: the HTTP side.
type Metrics struct {
	// /metrics, /healthz, /readyz, /loglevel and the status page at /. Host and
	// port; "": not served.
	// Default: "127.0.0.1:9713"
	Address string

	// The token that is required for everything but /healthz and /readyz: as
	// "Authorization: Bearer …", or in a browser as the password with any user name.
	// Changing the log level over HTTP needs it. At most one of token, token_file (a file
	// that holds it) and token_env (the name of an environment variable).
	// Default: none, everybody who reaches the address sees it
	Token Secret // may be empty

	// HTTPS: a certificate chain and its key (PEM).
	// Default: none, plain HTTP
	Certificate string // path
	// Required with certificate, and only there.
	PrivateKey string // path; given when Certificate is

	// When /readyz answers that the gateway is ready, besides that it must accept connections:
	// "any": at least one route is served, or one of its kinds of packets; a realm that is
	// dead does not take the gateway out of service for all others. "all": every route is
	// served, for all of its kinds. Routes with ready = false do not count. After a start it
	// is not ready before each port that is probed has answered once or was found down.
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
	t.secret("token", &m.Token, false)
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

func (c *Config) warnMetrics(warn warner) {
	m := &c.Metrics
	host, _, err := net.SplitHostPort(m.Address)
	if err != nil || m.Token.Len() > 0 {
		return
	}
	if a, err := netip.ParseAddr(host); host == "localhost" || err == nil && a.Unmap().IsLoopback() {
		return
	}
	warn("metrics.address", "%s can be reached from other machines, and everybody there may read the metrics and the status page: set a token", m.Address)
}
