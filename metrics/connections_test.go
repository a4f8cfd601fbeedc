package metrics

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

// The gauge shows the first end among a client's connections, and goes with the last of them.
func TestTheSoonestCertificateOfAClientShows(t *testing.T) {
	m, _, _ := filled(t)
	at := func(seconds int64, client string) *Connection {
		c := &Connection{Client: client, NotAfter: time.Unix(seconds, 0), Remote: netip.MustParseAddrPort("192.0.2.1:1")}
		m.Opened(c)
		return c
	}
	first, second := at(2000, "campus"), at(3000, "campus")
	m.Opened(&Connection{Client: "none"})
	at(1000, "other")
	var order []string
	for _, c := range m.Connections() {
		order = append(order, c.Client)
	}
	if got := strings.Join(order, " "); got != "other campus campus none" {
		t.Errorf("connections in the order %s, want the soonest end first, those without at the end", got)
	}
	const name = "radsec_gw_tls_client_certificate_expiry_timestamp_seconds"
	if text := scrape(t, m); !strings.Contains(text, name+`{client="campus"} 2000`) || strings.Contains(text, name+`{client="none"}`) {
		t.Error("the soonest end of campus is not 2000, or a client without certificate has a series")
	}
	m.Ended(first)
	if text := scrape(t, m); !strings.Contains(text, name+`{client="campus"} 3000`) {
		t.Error("after the first connection's end the soonest is not 3000")
	}
	m.Ended(second)
	if text := scrape(t, m); strings.Contains(text, name+`{client="campus"}`) {
		t.Error("without a connection the series is still there")
	}
}
