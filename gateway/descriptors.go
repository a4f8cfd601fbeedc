package gateway

import (
	"fmt"

	"radsec-gw/config"
	"radsec-gw/crlfetch"
	"radsec-gw/udpback"
	"radsec-gw/udpback/resolve"
)

// Descriptors says how the descriptors that the process may have open are divided. When
// there are too few, RadSec connections are refused: the sockets to the servers, the files
// and the HTTP side must never lack one.
type Descriptors struct {
	Limit       int // RLIMIT_NOFILE
	Connections int // of RadSec
	UDP         int // sockets to the servers
	wantedUDP   int // sockets that the servers' max_sockets allow, of the ports in use
	http        int // HTTP connections inside the pool of package web
	httpWaiting int // and outside of it
	other       int // standard streams, listeners of all kinds, files, names, taps
}

const (
	// ownDescriptors are for the standard streams, an epoll instance and its wake-up, the
	// runtime's files of its control group, the list of open descriptors for the metrics, a
	// socket to systemd and one to a syslog server; each listener has a spare descriptor beside its own, and may hold one
	// accepted connection that is not counted yet.
	ownDescriptors = 13
	// udpListeners are the sockets of an address of [dynamic_authorization]: one, and during a
	// reload a second one.
	udpListeners = 2
	// minConnections is how many connections a gateway must be able to accept.
	minConnections = 4
)

// divide divides a limit for a configuration. It fails if too few descriptors remain for
// connections.
func divide(limit int, cfg *config.Config) (Descriptors, error) {
	d := Descriptors{Limit: limit}
	// Of 1024 descriptors, the usual limit: 32 for files that are read at the same time, 8
	// for taps, 64 for HTTP connections and 32 for those that wait, and up to 96 for names that are looked up at the
	// same time. Fewer of each with a lower limit, never more with a higher one.
	files, taps := clamp(limit/32, 4, 32), clamp(limit/128, 1, 8)
	names := min(hostNames(cfg), resolve.MaxLookups) * resolve.LookupDescriptors
	d.http, d.httpWaiting = clamp(limit/16, 4, 64), clamp(limit/32, 4, 1024)
	d.other = ownDescriptors + 3*addresses(cfg) + files + taps + 2 // and the listeners of HTTP and taps
	d.other += udpListeners * len(cfg.DynamicAuthorization.Address)
	d.other += min(names, limit/8)
	if urls, points := cfg.FetchedLists(); points || len(urls) > 0 {
		d.other += crlfetch.Descriptors
	}
	ports := 0
	for i := range cfg.Servers {
		s := withUsedPorts(cfg, &cfg.Servers[i])
		members := 1
		if s.Expand { // each of its addresses is a server
			members = udpback.MaxServers
		}
		for _, port := range []uint16{s.AuthPort, s.AcctPort, s.CoAPort} {
			if port != 0 {
				ports++
				d.wantedUDP += s.MaxSockets * members
			}
		}
	}
	rest := limit - d.other - d.http - d.httpWaiting
	if rest < ports+minConnections {
		return d, fmt.Errorf("%d descriptors (RLIMIT_NOFILE) are too few: expected at least %d, of which %d are for sockets to servers and %d for other use than RadSec connections; raise the limit (ulimit -n, LimitNOFILE= of systemd)",
			limit, d.other+d.http+d.httpWaiting+ports+minConnections, ports, d.other+d.http+d.httpWaiting)
	}
	// While the socket of a port is replaced the port has two: the old one still listens.
	renewed := min(ports, (rest-ports-minConnections)/2)
	d.other, rest = d.other+renewed, rest-renewed
	// The sockets of clients' sources are closed at rest, so not all are wanted at once.
	d.wantedUDP += min(sources(cfg)*ports, rest/4)
	// Neither side gets more than half while the other needs it, and each port has at least
	// one socket.
	d.Connections = min(cfg.MaxConnections(), max(rest/2, rest-d.wantedUDP), rest-ports)
	d.UDP = min(d.wantedUDP, rest-d.Connections)
	return d, nil
}

// Descriptors divides the descriptors that this process may have open.
func (p *Plan) Descriptors() (Descriptors, error) {
	limit, err := descriptorLimit()
	if err != nil {
		return Descriptors{}, err
	}
	return divide(limit, p.Config)
}

// addresses counts the TCP addresses that RadSec is listened for on.
func addresses(cfg *config.Config) (n int) {
	for _, f := range cfg.Fronts() {
		n += len(f.Listen.Address)
	}
	return n
}

// share returns the share of the connections that a front has which wants some: that part of
// those which all fronts want.
func (d *Descriptors) share(cfg *config.Config, wanted int) int {
	all := cfg.MaxConnections()
	if d.Connections >= all {
		return wanted
	}
	return max(1, int(int64(d.Connections)*int64(wanted)/int64(all)))
}

// sources counts the source addresses of clients; of a pool each connection has one.
func sources(cfg *config.Config) (n int) {
	for i := range cfg.Clients {
		c := &cfg.Clients[i]
		switch {
		case c.Source.IsValid():
			n++
		case c.SourcePool.IsValid():
			n += cfg.MaxConnections()
		}
	}
	return min(n, cfg.MaxConnections())
}

// hostNames counts the servers whose address is a host name.
func hostNames(cfg *config.Config) (n int) {
	for i := range cfg.Servers {
		if cfg.Servers[i].HasHostName() {
			n++
		}
	}
	return n
}

func clamp(n, low, high int) int { return max(low, min(n, high)) }

// Shortage says which part of the configuration the limit does not allow, or returns "" if
// it allows everything.
func (d *Descriptors) Shortage(cfg *config.Config) string {
	wanted := cfg.MaxConnections()
	if d.Connections >= wanted {
		return ""
	}
	return fmt.Sprintf("the process may have %d descriptors open (RLIMIT_NOFILE), too few for what is configured: at most %d RadSec connections are accepted (max_connections is %d) and %d sockets to servers opened (their max_sockets come to %d); raise the limit to %d (ulimit -n, LimitNOFILE= of systemd)",
		d.Limit, d.Connections, wanted, d.UDP, d.wantedUDP, d.other+d.http+d.httpWaiting+wanted+d.wantedUDP)
}
