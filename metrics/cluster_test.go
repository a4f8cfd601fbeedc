package metrics

import (
	"fmt"
	"strings"
	"testing"
)

// A gateway that shares nothing has no series of it; one that does has all of them at zero,
// and each count arrives in its own.
//
// Rules: GW1
func TestSeriesOfTheCluster(t *testing.T) {
	m, _, _ := filled(t)
	c := m.Cluster()
	c.SetUp(true)
	if text := scrape(t, m); strings.Contains(text, "radsec_gw_cluster_") {
		t.Error("the scrape of a gateway that shares nothing has series of a cluster, expected none")
	}
	c.SetUp(false)
	c.Use()
	for _, name := range []string{"up", "replicas", "reconnects_total"} {
		expect(t, m, "radsec_gw_cluster_"+name+" 0")
	}
	for kind := range NumClusterMessages {
		for _, name := range []string{"sent", "received", "dropped", "receive_dropped", "invalid"} {
			expect(t, m, fmt.Sprintf(`radsec_gw_cluster_%s_total{kind="%v"} 0`, name, kind))
		}
	}
	c.SetUp(true)
	c.SetReplicas(2)
	c.Reconnected()
	c.Sent(ClusterState, 2)
	c.Received(ClusterMarker, 3)
	c.Dropped(ClusterCoA, 4)
	c.NotReceived(ClusterState, 5)
	c.Invalid(ClusterMarker)
	expect(t, m, "radsec_gw_cluster_up 1", "radsec_gw_cluster_replicas 2", "radsec_gw_cluster_reconnects_total 1",
		`radsec_gw_cluster_sent_total{kind="state"} 2`, `radsec_gw_cluster_received_total{kind="marker"} 3`, `radsec_gw_cluster_dropped_total{kind="coa"} 4`,
		`radsec_gw_cluster_receive_dropped_total{kind="state"} 5`, `radsec_gw_cluster_invalid_total{kind="marker"} 1`)
	if got, want := c.Counts(), (ClusterCounts{Reconnects: 1, Sent: 2, Received: 3, Dropped: 9, Invalid: 1}); got != want {
		t.Errorf("got %+v, expected %+v", got, want)
	}
}
