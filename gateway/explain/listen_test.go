package explain

import (
	"strings"
	"testing"
	"time"

	"radsec-gw/config"
)

// The report names the revocation lists that serve fetches, and where it keeps them.
//
// Rules: TR9
func TestFetchedListsInTheReport(t *testing.T) {
	for _, row := range []struct {
		listen config.Listen
		want   string
	}{
		{config.Listen{CRL: []string{"/etc/ca.crl"}}, ""},
		{config.Listen{CRL: []string{"/etc/ca.crl", "http://crl.example/a"}, CRLRefresh: time.Hour},
			"  revocation list\thttp://crl.example/a, fetched every 1h0m0s at least, kept in memory only (check has not fetched it)\n"},
		{config.Listen{CRLDirectory: "/var/lib/x", CRLDistributionPoints: true}, "  revocation lists\tthose that certificates name, kept in /var/lib/x\n"},
	} {
		var out strings.Builder
		printFetched(&out, &config.Config{Listen: row.listen})
		if out.String() != row.want {
			t.Errorf("expected %q, got %q", row.want, out.String())
		}
	}
}
