package metrics

import (
	"fmt"
	"strings"
	"testing"
)

// A gateway without a cluster has no series of CoA that is passed on, and one with it has all of
// them at zero, and counts each in its own.
//
// Rules: GW1, GW3
func TestSeriesOfAskedGateways(t *testing.T) {
	m, _, _ := filled(t)
	a := m.ClusterAsks()
	if text := scrape(t, m); strings.Contains(text, "cluster_coa") {
		t.Error("the scrape of a gateway without a cluster has its series")
	}
	a.Use()
	for r := range NumClusterAsks {
		expect(t, m, fmt.Sprintf(`radsec_gw_cluster_coa_asks_total{result="%v"} 0`, r))
	}
	for r := range NumClusterServed {
		expect(t, m, fmt.Sprintf(`radsec_gw_cluster_coa_served_total{result="%v"} 0`, r))
	}
	a.Count(AskRelayed)
	a.CountServed(ServedLate)
	a.NameRefused()
	a.AddPending(3)
	a.AddNames(4)
	expect(t, m, `radsec_gw_cluster_coa_asks_total{result="relayed"} 1`, `radsec_gw_cluster_coa_served_total{result="late"} 1`,
		"radsec_gw_cluster_coa_names_refused_total 1", "radsec_gw_cluster_coa_pending_asks 3", "radsec_gw_cluster_coa_names 4")
}
