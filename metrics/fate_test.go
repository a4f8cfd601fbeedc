package metrics

import (
	"fmt"
	"testing"

	"radsec-gw/wire"
)

func TestEveryListHasDistinctNames(t *testing.T) {
	var omissions []string
	for o := range wire.NumOmissions {
		omissions = append(omissions, o.String())
	}
	for list, names := range map[string][]string{
		"omissions": omissions,
		"fates":     fateNames[:], "results": resultNames[:],
		"handshakes": handshakeNames[:], "reasons": reasonNames[:], "states": stateNames[:],
		"refusals of the spool": spoolRefusalNames[:], "results of replays": spoolReplayNames[:], "drops of the spool": spoolDropNames[:], "messages of a cluster": clusterMessageNames[:], "asked gateways": clusterAskNames[:], "requests of other gateways": clusterServedNames[:],
	} {
		seen := map[string]bool{}
		for i, name := range names {
			if name == "" || seen[name] {
				t.Errorf("%s: entry %d has the empty or repeated name %q", list, i, name)
			}
			seen[name] = true
		}
	}
	if got := NumFates.String(); got != fmt.Sprint(int(NumFates)) {
		t.Errorf("a value outside the list prints as %q, want its number", got)
	}
}
