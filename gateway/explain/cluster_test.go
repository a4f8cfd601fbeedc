package explain

import (
	"strings"
	"testing"

	"radsec-gw/gateway/gatewaytest"
)

// The report says what is shared with other gateways, without passwords, and nothing of it if
// nothing is.
//
// Rules: GW1, GW6
func TestReportOnTheCluster(t *testing.T) {
	const table = "\n[cluster]\nnats = [\"nats://me:tiger@n0:4222\", \"tls://n1\"]\nprefix = \"site-a\"\n"
	_, file := gatewaytest.Dir(t, spooling("directory = \"kept\"\nstore = \"jetstream\"\n")+table+"[dynamic_authorization]\naddress = [\"127.0.0.1:3799\"]\n")
	out := reportOf(t, file)
	plain := strings.Join(strings.Fields(out), " ")
	for _, want := range []string{
		"Other gateways: what is shared with them through NATS NATS servers nats://n0:4222, tls://n1; no request waits for them shared with gateways with the prefix site-a States",
		"loops a request that another gateway has sent",
		"CoA for a NAS that is connected to another gateway",
		"the spool is in JetStream, on 3 NATS servers (replicas)",
	} {
		if !strings.Contains(plain, want) {
			t.Errorf("expected %q in the report, got:\n%s", want, plain)
		}
	}
	if strings.Contains(out, "tiger") {
		t.Errorf("the report has the password:\n%s", out)
	}
	_, file = gatewaytest.Dir(t, gatewaytest.TwoServers+"[routing]\nloop_marker = false\n"+table)
	plain = reportOf(t, file)
	for _, not := range []string{"loops ", "CoA  ", "JetStream"} {
		if strings.Contains(plain, not) {
			t.Errorf("expected no %q in the report, got:\n%s", not, plain)
		}
	}
	_, file = gatewaytest.Dir(t, gatewaytest.TwoServers)
	if out := reportOf(t, file); strings.Contains(out, "NATS") {
		t.Errorf("expected nothing of gateways that share nothing, got\n%s", out)
	}
}
