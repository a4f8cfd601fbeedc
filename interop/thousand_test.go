package interop

import (
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"layeh.com/radius/rfc2866"

	"radsec-gw/bench/process"
	"radsec-gw/certs"
	"radsec-gw/interop/testbed"
)

// thousand is a FreeRADIUS as most sites have it, the gateway in front of it, and a thousand access
// points that are connected at the same time.
type thousand struct {
	t          *testing.T
	ports      bedPorts
	freeradius *process.Process
	log        string // what FreeRADIUS's policy writes about answers
	gateway    *process.Process
	all        []*accessPoint
}

// Of the access points, these are special.
const (
	byPEAP      = 0   // its user is authenticated by eapol_test
	withName    = 600 // sends an Operator-NAS-Identifier
	withSource  = 999 // is of a client with a source
	accessCount = 1000
)

// startThousand starts all of it, until the test ends.
func startThousand(t *testing.T) *thousand {
	t.Helper()
	if err := process.RaiseFileLimit(); err != nil {
		t.Fatal(err)
	}
	h := &thousand{t: t}
	if err := h.ports.choose(); err != nil {
		t.Fatal(err)
	}
	h.startFreeRADIUS()
	p := h.ports
	h.gateway = startGatewayWith(t, p.radsec, fmt.Sprintf(thousandGateway, p.radsec, p.auth, p.acct, p.coa, p.metrics, udpSecret, coaSecret, nasSecret))
	h.connect()
	return h
}

func (h *thousand) startFreeRADIUS() {
	h.t.Helper()
	dir := h.t.TempDir()
	h.log = filepath.Join(dir, "answers")
	values := map[string]any{"Dir": dir, "Certs": shared.path("freeradius/certs"), "Auth": h.ports.auth, "Acct": h.ports.acct, "CoA": h.ports.coa,
		"Secret": udpSecret, "Source": sourceAddress, "SourceSecret": coaSecret}
	users := "DEFAULT\tCleartext-Password := \"" + userPassword + "\"\n"
	err := errors.Join(writeTemplate(filepath.Join(dir, "radiusd.conf"), reverseFreeRADIUS, values), os.WriteFile(filepath.Join(dir, "authorize"), []byte(users), 0o600))
	if err != nil {
		h.t.Fatal(err)
	}
	h.freeradius, err = start(nil, "freeradius", "-d", dir, "-n", "radiusd", "-f", "-x", "-l", "stdout")
	stopAtEnd(h.t, h.freeradius)
	if err == nil {
		err = h.freeradius.Await("Ready to process requests", patience)
	}
	if err != nil {
		h.t.Fatalf("FreeRADIUS does not start: %v; it printed:\n%s", err, process.LastLines(h.freeradius.Printed(), 30))
	}
}

// connect connects the access points, and has the user of each log in, but for that of byPEAP.
func (h *thousand) connect() {
	h.t.Helper()
	ca, err := certs.LoadSigner(shared.path("certs/ca.pem"), shared.path("certs/ca.key"))
	if err != nil {
		h.t.Fatal(err)
	}
	numbers := make(chan int)
	var failed error
	var mu sync.Mutex // guards failed
	var workers sync.WaitGroup
	h.all = make([]*accessPoint, accessCount)
	for range 32 {
		workers.Go(func() {
			for i := range numbers {
				if err := h.begin(ca, i); err != nil {
					mu.Lock()
					failed = errors.Join(failed, err)
					mu.Unlock()
				}
			}
		})
	}
	from := time.Now()
	alone, _, _ := h.gateway.Memory()
	for i := range h.all {
		numbers <- i
	}
	close(numbers)
	workers.Wait()
	h.t.Cleanup(h.close)
	if failed != nil {
		h.t.Fatal(failed)
	}
	n := h.metric("radsec_gw_tls_client_connections", "client", "access points") + h.metric("radsec_gw_tls_client_connections", "client", "sourced")
	if n != accessCount {
		h.t.Fatalf("the gateway has %v connections, expected %d", n, accessCount)
	}
	now, _, err := h.gateway.Memory()
	h.t.Logf("%v access points are connected and logged in after %v; the gateway has %d MB, and had %d MB before (%v)",
		n, time.Since(from).Round(time.Millisecond), now>>20, alone>>20, err)
}

// begin connects an access point, whose user then logs in and has a session.
func (h *thousand) begin(ca *certs.CA, i int) error {
	a := newAccessPoint(h.t, i)
	name := a.name + ".ap.example"
	switch i {
	case withName:
		a.operatorNAS = "operator's ap"
	case withSource:
		name = a.name + ".sourced.example"
	}
	pair, err := ca.Client(name)
	if err != nil {
		return err
	}
	config := &tls.Config{RootCAs: certs.Pool(ca.Certificate), ServerName: "localhost", Certificates: []tls.Certificate{pair.TLS()}, NextProtos: []string{"radius/1.0"}}
	if err := a.connect(h.ports.radsec, config); err != nil {
		return err
	}
	h.all[i] = a
	if i == byPEAP {
		return nil
	}
	if err := a.login("bob"); err != nil {
		return err
	}
	return a.account(rfc2866.AcctStatusType_Value_Start)
}

// close closes the connections.
func (h *thousand) close() {
	for _, a := range h.all {
		if a != nil {
			a.close()
		}
	}
}

// metric is the sum of a metric of the gateway.
func (h *thousand) metric(name string, labels ...string) float64 {
	h.t.Helper()
	g := testbed.Gateway{Process: h.gateway, T: h.t, Address: fmt.Sprintf("127.0.0.1:%d", h.ports.metrics)}
	return g.Metrics().Sum(name, labels...)
}

// received counts what all access points got.
func (h *thousand) received() (n int) {
	for _, a := range h.all {
		n += len(a.received())
	}
	return n
}

// radclient sends a CoA or Disconnect to an address of the gateway; attributes are one a line.
func (h *thousand) radclient(address, kind, secret, attributes string) testbed.Result {
	return run(patience, attributes, "radclient", "-x", "-r", "1", "-t", "20", fmt.Sprintf("%s:%d", address, h.ports.coa), kind, secret)
}

// eapol has eapol_test log bob in by PEAP at an access point.
func (h *thousand) eapol(a *accessPoint) testbed.Result {
	h.t.Helper()
	file := filepath.Join(h.t.TempDir(), "eapol.conf")
	network := lines("network={", "eapol_flags=0", "key_mgmt=WPA-EAP", "eap=PEAP", `identity="bob"`, `anonymous_identity="anonymous"`,
		fmt.Sprintf("password=%q", userPassword), `phase2="auth=MSCHAPV2"`, fmt.Sprintf("ca_cert=%q", shared.path("freeradius/certs/eap-ca.pem")), "}")
	if err := os.WriteFile(file, []byte(network), 0o600); err != nil {
		h.t.Fatal(err)
	}
	return run(patience, "", "eapol_test", "-c", file, "-a", "127.0.0.1", "-p", fmt.Sprint(a.listen()), "-s", radsecSecret, "-t", "20",
		"-M", strings.ReplaceAll(a.station, "-", ":"), "-N4:x:"+fmt.Sprintf("%x", []byte(a.ip)), "-N30:s:"+a.called,
		"-N32:s:"+a.name, "-N44:s:"+a.session, "-N50:s:"+a.multi)
}
