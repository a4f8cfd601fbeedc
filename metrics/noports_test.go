package metrics

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestNoPortsIsReadAtScrape(t *testing.T) {
	dir := t.TempDir()
	n := newNoPorts(dir)
	if got := testutil.CollectAndCount(n); got != 0 {
		t.Errorf("without /proc there are %d series, want none", got)
	}
	for name, text := range map[string]string{
		"snmp":  "Ip: Forwarding\nIp: 1\nUdp: InDatagrams NoPorts InErrors\nUdp: 9 42 1\nUdpLite: InDatagrams NoPorts\nUdpLite: 0 7\n",
		"snmp6": "Ip6InReceives 3\nUdp6NoPorts                     \t5\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	err := testutil.CollectAndCompare(n, strings.NewReader(`
# HELP radsec_gw_host_udp_no_ports_total UDP datagrams that the host's kernel dropped because no socket was open for them; a reply from a wrong port counts here.
# TYPE radsec_gw_host_udp_no_ports_total counter
radsec_gw_host_udp_no_ports_total{family="ipv4"} 42
radsec_gw_host_udp_no_ports_total{family="ipv6"} 5
`))
	if err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"", "Udp:", "Udp: NoPorts\n", "Udp: NoPorts\nUdp: x\n", "Udp: A\nUdp: 1\n", "Udp: A NoPorts\nUdp: 1\n"} {
		if v, ok := noPortsIPv4([]byte(bad)); ok {
			t.Errorf("%q is read as %d, want nothing", bad, v)
		}
	}
}
