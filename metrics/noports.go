package metrics

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// noPorts reads, at each scrape, how many datagrams the kernel has dropped
// because no socket took them. A reply that a server sends from another port
// or address than the request went to never reaches the gateway's connected
// socket: this count is the only trace of it. It is the whole network
// namespace's, so other programs' datagrams count too.
type noPorts struct {
	// static after construction
	dir  string // /proc/net
	desc *prometheus.Desc
}

func newNoPorts(dir string) *noPorts {
	return &noPorts{dir: dir, desc: prometheus.NewDesc(
		prometheus.BuildFQName(namespace, "", "host_udp_no_ports_total"),
		"UDP datagrams that the host's kernel dropped because no socket was open for them; a reply from a wrong port counts here.",
		[]string{"family"}, nil)}
}

// Describe implements prometheus.Collector.
func (n *noPorts) Describe(ch chan<- *prometheus.Desc) { ch <- n.desc }

// Collect implements prometheus.Collector. Where the kernel has no such file
// or count, the series is absent.
func (n *noPorts) Collect(ch chan<- prometheus.Metric) {
	for _, f := range []struct {
		family, file string
		parse        func([]byte) (uint64, bool)
	}{
		{"ipv4", "snmp", noPortsIPv4},
		{"ipv6", "snmp6", noPortsIPv6},
	} {
		b, err := os.ReadFile(filepath.Join(n.dir, f.file))
		if err != nil {
			continue
		}
		if v, ok := f.parse(b); ok {
			ch <- prometheus.MustNewConstMetric(n.desc, prometheus.CounterValue, float64(v), f.family)
		}
	}
}

// noPortsIPv4 finds the count NoPorts of Udp in the form of /proc/net/snmp: a
// line of names, then a line of numbers, both beginning with the protocol.
func noPortsIPv4(b []byte) (uint64, bool) {
	var names [][]byte
	for line := range bytes.Lines(b) {
		f := bytes.Fields(line)
		if len(f) == 0 || string(f[0]) != "Udp:" {
			continue
		}
		if names == nil {
			names = f
			continue
		}
		for i, name := range names {
			if string(name) == "NoPorts" && i < len(f) {
				v, err := strconv.ParseUint(string(f[i]), 10, 64)
				return v, err == nil
			}
		}
		return 0, false
	}
	return 0, false
}

// noPortsIPv6 finds the count Udp6NoPorts in the form of /proc/net/snmp6: a
// name and a number on each line.
func noPortsIPv6(b []byte) (uint64, bool) {
	for line := range bytes.Lines(b) {
		if f := bytes.Fields(line); len(f) == 2 && string(f[0]) == "Udp6NoPorts" {
			v, err := strconv.ParseUint(string(f[1]), 10, 64)
			return v, err == nil
		}
	}
	return 0, false
}
