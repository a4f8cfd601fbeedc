//go:build linux

package alerts

import (
	"crypto/x509"
	"fmt"
	"net"
	"path/filepath"
	"time"

	"radsec-gw/gateway/gatewaytest"
)

// expired makes a certificate that has expired.
func expired(c *x509.Certificate) {
	c.NotBefore, c.NotAfter = time.Now().Add(-2*day), time.Now().Add(-day)
}

// startBusy starts a gateway in front of servers of all kinds.
func (b *bed) startBusy() {
	b.t.Helper()
	b.pair(b.busy, year)
	b.configure(b.busy, "", fmt.Sprintf("[dynamic_authorization]\naddress = [%q]\n", b.coa)+client("campus", "127.0.0.11", "max_connections = 0")+client("limited", "127.0.0.12", "packets_per_second = 2")+
		b.server("good", "")+route("good", quoted("good"), "")+
		b.server("dead", "retransmit_initial = \"300ms\"\nretransmit_duration = \"2s\"")+route("dead", quoted("dead"), "")+
		b.server("hangs", "retransmit_initial = \"300ms\"\nretransmit_duration = \"2s\"")+route("hangs", quoted("hangs"), "")+
		b.server("unsigned", "retransmit_initial = \"300ms\"\nretransmit_duration = \"2s\"")+route("unsigned", quoted("unsigned"), "")+
		b.server("slow", "max_sockets = 1\nretransmit_initial = \"300ms\"")+route("slow", quoted("slow"), "")+
		b.server("late", "")+b.server("later", "")+route("late", quoted("late", "later"), "patience = \"300ms\""))
	b.start(b.busy)
}

// unknownName has no address on any network, and no name server is asked for it (RFC 7686 §2).
const unknownName = "radius.onion"

// startFiles starts a gateway whose certificate expires tomorrow, whose revocation list is
// out of date, and which has no server that answers.
func (b *bed) startFiles() {
	b.t.Helper()
	b.pair(b.files, day)
	b.list(b.files, -2*day, -day)
	b.configure(b.files, "crl = [\"crl.pem\", \"http://127.0.0.1:1/ca.crl\"]\ncrl_stale = \"refuse\"", client("campus", "127.0.0.11", "")+
		b.server("only", "")+route("only", quoted("only"), "")+
		"[[server]]\nname = \"unnamed\"\naddress = \""+unknownName+"\"\nacct_port = 0\ncoa_port = 0\nsecret = \""+gatewaytest.Secret+"\"\nresolve_interval = \"1s\"\n"+
		route("unnamed", quoted("unnamed"), ""))
	b.start(b.files)
}

// breakFiles puts a certificate that has expired in the place of the one in use, and then a
// mistake into the configuration.
func (b *bed) breakFiles() {
	b.t.Helper()
	b.pair(b.files, -day)
	b.until(b.files, "keeps its certificate", func() bool { return b.files.Metrics().Sum("radsec_gw_new_certificate_refused") == 1 })
	gatewaytest.Replace(b.t, filepath.Join(b.files.dir, "radsec-gw.toml"), []byte("[listen]\naddress = 7\n"))
	b.files.reload()
}

// startShort starts a gateway with 200 descriptors, a log that nobody reads and a certificate
// that has expired.
func (b *bed) startShort() {
	b.t.Helper()
	b.pair(b.short, -day)
	b.configure(b.short, "", client("campus", "127.0.0.11", "max_connections = 0")+b.server("good", "max_sockets = 1")+route("good", quoted("good"), "")+"[log]\nrequests = true\n")
	b.start(b.short, "prlimit", "--nofile=200")
}

// makeTraffic begins everything that clients do.
func (b *bed) makeTraffic(tr *traffic) {
	b.t.Helper()
	campus, limited := "127.0.0.11", "127.0.0.12"
	soon := b.clientPair(10 * day)
	connect := func() net.Conn { return tr.connect(campus, b.busy.radsec, soon) }
	tr.logins(connect(), "good.test", 2, 50*time.Millisecond, noState)
	for _, name := range []string{"dead", "hangs", "unsigned"} {
		tr.logins(connect(), name+".test", 10, 20*time.Millisecond, noState)
	}
	tr.logins(connect(), "slow.test", 190, 0, noState)
	tr.logins(connect(), "late.test", 10, 0, noState)
	tr.logins(connect(), "unknown.test", 2, 20*time.Millisecond, noState)
	tr.logins(connect(), "good.test", 1, 200*time.Millisecond, func() []byte {
		if marker := b.servers["good"].marker.Load(); marker != nil {
			return *marker
		}
		return nil
	})
	tr.flood(tr.connect(limited, b.busy.radsec, b.clientPair(year)), "good.test", 10*time.Millisecond)
	tr.strangers(campus, b.busy.radsec)
	tr.coa(b.coa)

	// Each line of the log has some 300 bytes, and its queue 2 MiB.
	tr.logins(tr.connect(campus, b.short.radsec, b.clientPair(year)), "unknown.test", 200, 0, noState)
	tr.idle(b.short.radsec, b.clientPair(year), 180)
}

// mend ends all faults. Servers that fail are used again only after answers to requests: these
// go on until the test ends.
func (b *bed) mend(tr *traffic) {
	b.t.Helper()
	for _, s := range b.servers {
		s.mode.Store(int32(works))
	}
	b.log.resume()
	for _, g := range []*gateway{b.files, b.short, b.later} {
		b.pair(g, year)
		b.list(g, -day, day)
		b.configure(g, "crl = [\"crl.pem\"]\ncrl_stale = \"refuse\"", client("campus", "127.0.0.11", "")+b.server("only", "")+route("only", quoted("only"), ""))
	}
	b.files.reload()
	b.short.reload()
	b.start(b.later)
	for _, name := range []string{"good", "dead", "hangs", "unsigned"} {
		tr.logins(tr.connect("127.0.0.11", b.busy.radsec, b.clientPair(year)), name+".test", 2, 50*time.Millisecond, noState)
	}
}
