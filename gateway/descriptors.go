package gateway

import (
	"fmt"
	"net/netip"
	"os"
	"syscall"

	"radsec-gw/config"
	"radsec-gw/udpback"
	"radsec-gw/udpback/resolve"
)

// Descriptors says how the descriptors that the process may have open are
// divided. RadSec connections are what is refused when there are too few: the
// sockets to the servers, the files and the HTTP side must never lack one.
type Descriptors struct {
	Limit       int // RLIMIT_NOFILE
	other       int // standard streams, listeners, files, names, taps
	http        int // connections
	UDP         int // sockets to the servers
	wantedUDP   int // that the servers' max_sockets allow, of the ports in use
	Connections int // RadSec
}

const (
	// A process that serves has standard streams, an epoll instance and its wake-up,
	// the runtime's files of its control group, a socket to systemd and one to a
	// syslog server; and each listener has a spare descriptor and may hold one accepted
	// connection that is not counted yet.
	ownDescriptors = 12
	// With fewer connections than this a gateway is of no use.
	leastConnections = 4
)

// divide computes the division for a configuration. It fails when the limit
// leaves no connection.
func divide(limit int, cfg *config.Config) (Descriptors, error) {
	d := Descriptors{Limit: limit}
	// Of 1024 descriptors, which is what most systems give: 32 for files that are
	// read at one time, 8 taps, 64 HTTP connections, and up to 96 for names that are
	// looked up at one time. Fewer of each when there are fewer, never more.
	files, taps := clamp(limit/32, 4, 32), clamp(limit/128, 1, 8)
	names := min(hostNames(cfg), resolve.MaxLookups) * resolve.LookupDescriptors
	d.http = clamp(limit/16, 4, 64)
	d.other = ownDescriptors + 3*len(cfg.Listen.Address) + files + taps + 2 // and the listeners of HTTP and taps
	d.other += min(names, limit/8)
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
	rest := limit - d.other - d.http
	if rest < ports+leastConnections {
		return d, fmt.Errorf("%d descriptors (RLIMIT_NOFILE) are too few: expected at least %d, of which %d are for sockets to servers and %d for other use than RadSec connections; raise the limit (ulimit -n, LimitNOFILE= of systemd)",
			limit, d.other+d.http+ports+leastConnections, ports, d.other+d.http)
	}
	// While a port gets another socket it has two: the old one still listens.
	renewed := min(ports, (rest-ports-leastConnections)/2)
	d.other, rest = d.other+renewed, rest-renewed
	// Neither side takes more than half while the other needs it, and a port has one
	// socket at the least.
	d.Connections = min(cfg.Listen.MaxConnections, max(rest/2, rest-d.wantedUDP), rest-ports)
	d.UDP = min(d.wantedUDP, rest-d.Connections)
	return d, nil
}

// Descriptors divides the descriptors that this process may have.
func (p *Plan) Descriptors() (Descriptors, error) {
	limit, err := descriptorLimit()
	if err != nil {
		return Descriptors{}, err
	}
	return divide(limit, p.Config)
}

// hostNames returns how many servers are given by host name.
func hostNames(cfg *config.Config) (n int) {
	for i := range cfg.Servers {
		if !isIPAddress(cfg.Servers[i].Address) {
			n++
		}
	}
	return n
}

func clamp(n, least, most int) int { return max(least, min(n, most)) }

// Warning says what does not fit; "" when everything does.
func (d *Descriptors) Warning(cfg *config.Config) string {
	wanted := cfg.Listen.MaxConnections
	if d.Connections >= wanted {
		return ""
	}
	return fmt.Sprintf("the process may have %d descriptors open (RLIMIT_NOFILE), too few for what is configured: at most %d RadSec connections are accepted (max_connections is %d) and %d sockets to servers opened (their max_sockets come to %d); raise the limit to %d (ulimit -n, LimitNOFILE= of systemd)",
		d.Limit, d.Connections, wanted, d.UDP, d.wantedUDP, d.other+d.http+wanted+d.wantedUDP)
}

// descriptorLimit returns how many descriptors the process may have open. At its
// start Go has raised the soft limit to the hard one.
func descriptorLimit() (int, error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, os.NewSyscallError("getrlimit", err)
	}
	const unlimited = 1 << 30
	return int(min(limit.Cur, unlimited)), nil
}

func isIPAddress(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}
