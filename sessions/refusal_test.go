package sessions

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"radsec-gw/identity"
	"radsec-gw/metrics"
)

// Every refusal of package identity has a result of a handshake and a reason to close,
// and the result is registered at zero.
func TestEveryRefusalIsCounted(t *testing.T) {
	reg := prometheus.NewRegistry()
	metrics.New(reg)
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	registered := map[string]bool{}
	for _, f := range families {
		if f.GetName() != "radsec_gw_tls_handshakes_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			registered[m.GetLabel()[0].GetValue()] = true
		}
	}
	for r := range identity.NumReasons {
		counts := refusalOf(&identity.Refusal{Reason: r})
		if counts.Result == metrics.HandshakeOK || counts.Reason == metrics.ClosedByPeer {
			t.Errorf("%v counts as handshake %v and reason %v: say what it counts as", r, counts.Result, counts.Reason)
		}
		if !registered[counts.Result.String()] {
			t.Errorf("the result %v is not registered", counts.Result)
		}
	}
}
