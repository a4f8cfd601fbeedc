package explain

import (
	"strings"
	"testing"

	"radsec-gw/gateway/gatewaytest"
)

// The report has what the limit of descriptors allows.
func TestDescriptorsAreReported(t *testing.T) {
	_, file := gatewaytest.Dir(t, gatewaytest.TwoServers)
	if out := reportOf(t, file); !strings.Contains(out, "\nDescriptors: ") || !strings.Contains(out, "RadSec connections and ") {
		t.Errorf("expected a line about descriptors, got\n%s", out)
	}
}
