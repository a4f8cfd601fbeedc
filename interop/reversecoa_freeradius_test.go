package interop

import (
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"

	"radsec-gw/bench/process"
	"radsec-gw/interop/testbed"
)

// eapol_test, access points → gateway → FreeRADIUS, and back to one of a thousand access points:
// radclient, FreeRADIUS → gateway → access point.
//
// FreeRADIUS and radclient are told nothing but the gateway's address, as if it were the NAS.
// Rules: RC3, RC8, RC9, RC13, RC14, RC16, RC20, ID6
func TestReverseCoAByFreeRADIUS(t *testing.T) {
	h := startThousand(t)
	peap := h.all[byPEAP]
	r := h.eapol(peap)
	expect(t, testbed.Result{Output: process.LastLines(r.Output, 20), Status: r.Status}, 0, "SUCCESS", "MPPE keys OK: 1  mismatch: 0")
	if err := peap.account(rfc2866.AcctStatusType_Value_Start); err != nil {
		t.Fatal(err)
	}
	t.Run("each key", h.testEachKey)
	t.Run("a thousand at once", h.testThousandAtOnce)
	t.Run("NAK", h.testNAKs)
	t.Run("one Acct-Session-Id", h.testSharedSession)
	t.Run("a user who roams", h.testRoaming)
	t.Run("source", h.testSource)
	t.Run("FreeRADIUS's own", h.testOwn)
	t.Run("FreeRADIUS's own to a source", h.testOwnToSource)
	t.Run("stop", h.testStop)
	now, highest, err := h.gateway.Memory()
	t.Logf("the gateway has %d MB, and had %d MB at most (%v); it sent %v requests down %d connections, and remembers %v keys of %v NASes",
		now>>20, highest>>20, err, h.metric("radsec_gw_reverse_requests_total", "fate", "relayed"), len(h.all),
		h.metric("radsec_gw_reverse_learned_keys"), h.metric("radsec_gw_reverse_learned_nases"))
	if n := h.received(); float64(n) != h.metric("radsec_gw_reverse_requests_total", "fate", "relayed") {
		t.Errorf("the access points got %d requests, the gateway counts %v", n, h.metric("radsec_gw_reverse_requests_total", "fate", "relayed"))
	}
}

// Whatever radclient knows of the session or its NAS, the request reaches that access point and no
// other, with what names the NAS, and the ACK verifies.
func (h *thousand) testEachKey(t *testing.T) {
	for _, i := range []int{byPEAP, 517, withName} {
		a := h.all[i]
		for _, kind := range []string{"disconnect", "coa"} {
			for _, attributes := range a.keys() {
				t.Run(fmt.Sprint(a.name, " ", kind, " ", attributes), func(t *testing.T) {
					if kind == "coa" {
						attributes = append(attributes, "Session-Timeout = 60")
					}
					h.reach(t, a, func() testbed.Result { return h.radclient("127.0.0.1", kind, nasSecret, lines(attributes...)) })
				})
			}
		}
	}
}

// keys are requests for it, each a list of attributes that name its session or itself.
func (a *accessPoint) keys() [][]string {
	session, identifier := fmt.Sprintf("Acct-Session-Id = %q", a.session), fmt.Sprintf("NAS-Identifier = %q", a.name)
	operatorNAS := fmt.Sprintf("Operator-NAS-Identifier = 0x%x", a.name)
	all := [][]string{
		{session},
		{fmt.Sprintf("Calling-Station-Id = %q", a.station), `User-Name = "bob"`},
		{fmt.Sprintf("Calling-Station-Id = %q", strings.ToLower(strings.ReplaceAll(a.station, "-", ":"))), `User-Name = "bob"`},
		{fmt.Sprintf("Acct-Multi-Session-Id = %q", a.multi)},
		{fmt.Sprintf("Class = 0x%x", "class of "+a.session)},
		{"NAS-IP-Address = " + a.ip.String()},
		{identifier},
		{fmt.Sprintf("Called-Station-Id = %q", a.called)},
		{operatorNAS},
		{operatorNAS, `Operator-Name = "1example.org"`, session},
		{session, identifier, "NAS-IP-Address = " + a.ip.String(), `User-Name = "bob"`},
		{session, "Message-Authenticator = 0x00"},
		{session, fmt.Sprintf("Event-Timestamp = %d", time.Now().Unix())},
		{session, "Proxy-State = 0x0102", "Proxy-State = 0x03"},
	}
	if a.operatorNAS != "" {
		all = append(all, []string{fmt.Sprintf("Operator-NAS-Identifier = 0x%x", a.operatorNAS)})
	}
	return all
}

// reach fails the test unless radclient reports an ACK, and that access point alone got one request more, which it
// returns.
func (h *thousand) reach(t *testing.T, a *accessPoint, send func() testbed.Result) *radius.Packet {
	t.Helper()
	before, all := len(a.received()), h.received()
	r := send()
	expect(t, r, 0, "-ACK Id ")
	if strings.Contains(r.Output, "Reply verification failed") || strings.Contains(r.Output, "-NAK") {
		t.Errorf("radclient printed:\n%s", r.Output)
	}
	got := a.received()
	if len(got) != before+1 || h.received() != all+1 {
		t.Fatalf("%s got %d requests, and all together %d, expected one", a.name, len(got)-before, h.received()-all)
	}
	last := got[before]
	a.check(t, last)
	return last
}

// check fails the test unless a request names the access point, and has nothing that is for proxies only.
func (a *accessPoint) check(t *testing.T, p *radius.Packet) {
	t.Helper()
	identifier, ip := rfc2865.NASIdentifier_GetString(p), rfc2865.NASIPAddress_Get(p)
	if identifier != a.name && !a.ip.Equal(ip) || identifier != "" && identifier != a.name || ip != nil && !a.ip.Equal(ip) {
		t.Errorf("%s got a request for NAS-Identifier %q, NAS-IP-Address %v", a.name, identifier, ip)
	}
	for _, kind := range []radius.Type{rfc2865.ProxyState_Type, 126, 241} {
		if v := p.Get(kind); v != nil {
			t.Errorf("%s got an attribute of type %d: %x", a.name, kind, []byte(v))
		}
	}
}

// One radclient disconnects everybody, with nothing but the Acct-Session-Ids: every access point gets its own.
func (h *thousand) testThousandAtOnce(t *testing.T) {
	var requests strings.Builder
	before := make([]int, len(h.all))
	for i, a := range h.all {
		before[i] = len(a.received())
		fmt.Fprintf(&requests, "Acct-Session-Id = %q\n\n", a.session)
	}
	from := time.Now()
	r := run(patience, requests.String(), "radclient", "-s", "-p", "64", "-r", "3", "-t", "5", fmt.Sprintf("127.0.0.1:%d", h.ports.coa), "disconnect", nasSecret)
	took := time.Since(from)
	if r.Status != 0 || !hasLine(r.Output, "Accepted", fmt.Sprint(": ", len(h.all))) {
		t.Errorf("exit status %d; radclient printed:\n%s", r.Status, process.LastLines(r.Output, 20))
	}
	t.Logf("%d Disconnect-Requests took %v", len(h.all), took.Round(time.Millisecond))
	for i, a := range h.all {
		got := a.received()[before[i]:]
		if len(got) != 1 || rfc2866.AcctSessionID_GetString(got[0]) != a.session {
			t.Errorf("%s got %d requests, expected that for %s alone", a.name, len(got), a.session)
			continue
		}
		a.check(t, got[0])
	}
}

// A session that nobody has, and keys of different access points, are refused by the gateway; a session that the
// access point does not have, by the access point.
func (h *thousand) testNAKs(t *testing.T) {
	one, other := h.all[3], h.all[4]
	for _, c := range []struct {
		name, attributes, cause string
		reaches                 int
	}{
		{"a session that nobody has", `Acct-Session-Id = "no such session"`, "Proxy-Request-Not-Routable", 0},
		{"a NAS that nobody is", `NAS-Identifier = "ap-9999"`, "Proxy-Request-Not-Routable", 0},
		{"no key", `Reply-Message = "good bye"`, "Proxy-Request-Not-Routable", 0},
		{"a session and another NAS", lines(fmt.Sprintf("Acct-Session-Id = %q", one.session), fmt.Sprintf("NAS-Identifier = %q", other.name)),
			"NAS-Identification-Mismatch", 0},
		{"two sessions", lines(fmt.Sprintf("Acct-Session-Id = %q", one.session), fmt.Sprintf("Acct-Multi-Session-Id = %q", other.multi)),
			"NAS-Identification-Mismatch", 0},
		{"a session that the NAS does not have", lines(`Acct-Session-Id = "no such session"`, fmt.Sprintf("NAS-Identifier = %q", one.name)),
			"Session-Context-Not-Found", 1},
	} {
		for kind, reply := range map[string]string{"disconnect": "Disconnect-NAK", "coa": "CoA-NAK"} {
			t.Run(c.name+", "+kind, func(t *testing.T) {
				before := h.received()
				expect(t, h.radclient("127.0.0.1", kind, nasSecret, c.attributes), 1, "Received "+reply, "Error-Cause = "+c.cause)
				if n := h.received() - before; n != c.reaches {
					t.Errorf("the access points got %d requests, expected %d", n, c.reaches)
				}
			})
		}
	}
}

// Who asks the address that a client's requests come from need not name anything, and is answered from there. The
// secret of that address holds there alone.
func (h *thousand) testSource(t *testing.T) {
	a := h.all[withSource]
	for _, secret := range []string{coaSecret, nasSecret} {
		for kind, reply := range map[string]string{"disconnect": "Disconnect-ACK", "coa": "CoA-ACK"} {
			h.reach(t, a, func() testbed.Result {
				r := h.radclient(sourceAddress, kind, secret, `Reply-Message = "good bye"`)
				if want := fmt.Sprintf("from %s:%d", sourceAddress, h.ports.coa); !hasLine(r.Output, "Received "+reply, want) {
					t.Errorf("radclient does not report a %s %s:\n%s", reply, want, r.Output)
				}
				return r
			})
		}
	}
	other := fmt.Sprintf("NAS-Identifier = %q", h.all[3].name)
	expect(t, h.radclient(sourceAddress, "disconnect", coaSecret, other), 1, "Received Disconnect-NAK", "Error-Cause = NAS-Identification-Mismatch")
	r := run(patience, `Reply-Message = "good bye"`, "radclient", "-x", "-r", "1", "-t", "0.5", fmt.Sprintf("127.0.0.1:%d", h.ports.coa), "disconnect", coaSecret)
	expect(t, r, 1, "No reply from server")
}

func hasLine(text string, words ...string) bool { return process.CountLines(text, words...) > 0 }

// An Acct-Session-Id is its NAS's only (RFC 2866 §5.5): where three have the same, it does not say which is asked, and
// with any name of the NAS, or with the station and its user, it does.
func (h *thousand) testSharedSession(t *testing.T) {
	const session = `Acct-Session-Id = "00000001"`
	three := h.all[10:13]
	for _, a := range three {
		a.newSession("00000001")
		if err := a.account(rfc2866.AcctStatusType_Value_Start); err != nil {
			t.Fatal(err)
		}
	}
	expect(t, h.radclient("127.0.0.1", "disconnect", nasSecret, session), 1, "Received Disconnect-NAK", "Error-Cause = NAS-Identification-Mismatch")
	for _, a := range three {
		for _, name := range []string{
			fmt.Sprintf("NAS-Identifier = %q", a.name),
			"NAS-IP-Address = " + a.ip.String(),
			fmt.Sprintf("Operator-NAS-Identifier = 0x%x", a.name),
			lines(fmt.Sprintf("Calling-Station-Id = %q", a.station), `User-Name = "bob"`),
		} {
			h.reach(t, a, func() testbed.Result {
				return h.radclient("127.0.0.1", "disconnect", nasSecret, lines(session, name))
			})
		}
	}
}

// Who was let in at another access point is there, even before its accounting begins, and stays there when the session
// at the first ends.
func (h *thousand) testRoaming(t *testing.T) {
	first, second := h.all[20], h.all[21]
	second.station = first.station
	disconnect := func() testbed.Result {
		return h.radclient("127.0.0.1", "disconnect", nasSecret, lines(fmt.Sprintf("Calling-Station-Id = %q", first.station), `User-Name = "bob"`))
	}
	h.reach(t, first, disconnect)
	for _, step := range []func() error{
		func() error { return second.login("bob") },
		func() error { return second.account(rfc2866.AcctStatusType_Value_Start) },
		func() error { return first.account(rfc2866.AcctStatusType_Value_Stop) },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
		h.reach(t, second, disconnect)
	}
}

// FreeRADIUS's policy sends a CoA when a guest logs in, and a Disconnect when a session is over quota, to its
// home_server of type coa, and gets the access point's ACK.
func (h *thousand) testOwn(t *testing.T) {
	for _, a := range h.all[40:80] {
		a.newSession(a.session + "-guest") // which the gateway has not seen before
		last := h.originates(t, a, "CoA-ACK for guest of "+a.name, func() error { return a.login("guest") })
		if last.Code != radius.CodeCoARequest || rfc2865.FilterID_GetString(last) != "guests" {
			t.Errorf("%s got %v %v, expected the CoA of the policy", a.name, last.Code, last.Attributes)
		}
		last = h.originates(t, a, "Disconnect-ACK for bob of "+a.name, a.overQuota)
		if last.Code != radius.CodeDisconnectRequest || rfc2866.AcctSessionID_GetString(last) != a.session {
			t.Errorf("%s got %v %v, expected the Disconnect of the policy", a.name, last.Code, last.Attributes)
		}
	}
}

// overQuota sends an Interim-Update with more octets than FreeRADIUS's policy lets pass.
func (a *accessPoint) overQuota() error {
	octets := radius.AVP{Type: rfc2866.AcctOutputOctets_Type, Attribute: []byte{0, 0x20, 0, 0}}
	return a.account(rfc2866.AcctStatusType_Value_InterimUpdate, octets)
}

// originates has the access point do what FreeRADIUS's policy sends it a request for, and waits until the policy has
// logged the answer. It returns the request that the access point got.
func (h *thousand) originates(t *testing.T, a *accessPoint, logged string, act func() error) *radius.Packet {
	t.Helper()
	before, all := len(a.received()), h.received()
	if err := act(); err != nil {
		t.Fatal(err)
	}
	if !testbed.Eventually(patience, func() bool {
		text, err := os.ReadFile(h.log)
		return err == nil && hasLine(string(text), logged)
	}) {
		t.Fatalf("FreeRADIUS does not log %q; it printed:\n%s", logged, process.LastLines(h.freeradius.Printed(), 40))
	}
	if n, others := len(a.received())-before, h.received()-all-1; n != 1 || others != 0 {
		t.Fatalf("%s got %d requests, and all others %d, expected one", a.name, n, others)
	}
	last := a.received()[before]
	a.check(t, last)
	return last
}

// Where FreeRADIUS has no coa_server for a client, it asks the address that the client's requests come from: of a
// client with a source that is enough, and the request need not name anything.
func (h *thousand) testOwnToSource(t *testing.T) {
	a := h.all[withSource]
	before, all := len(a.received()), h.received()
	if err := a.overQuota(); err != nil {
		t.Fatal(err)
	}
	from := net.JoinHostPort(sourceAddress, fmt.Sprint(h.ports.coa))
	if !h.freeradius.Output().Await(patience, func(text string) bool { return hasLine(text, "Received Disconnect-ACK", "from "+from) }) {
		t.Fatalf("FreeRADIUS does not log a Disconnect-ACK from %s; it printed:\n%s", from, process.LastLines(h.freeradius.Printed(), 40))
	}
	got := a.received()
	if len(got) != before+1 || h.received() != all+1 {
		t.Fatalf("%s got %d requests, and all together %d, expected one", a.name, len(got)-before, h.received()-all)
	}
	a.check(t, got[before])
	if session := got[before].Get(rfc2866.AcctSessionID_Type); session != nil {
		t.Errorf("the request of the policy has a session, %q", session)
	}
}

// After its Accounting-Stop the session is nobody's; the NAS is still known.
func (h *thousand) testStop(t *testing.T) {
	a := h.all[byPEAP]
	if err := a.account(rfc2866.AcctStatusType_Value_Stop); err != nil {
		t.Fatal(err)
	}
	before := h.received()
	session := fmt.Sprintf("Acct-Session-Id = %q", a.session)
	expect(t, h.radclient("127.0.0.1", "disconnect", nasSecret, session), 1, "Received Disconnect-NAK", "Error-Cause = Proxy-Request-Not-Routable")
	if n := h.received(); n != before {
		t.Errorf("the access points got %d requests for a session that has ended", n-before)
	}
	h.reach(t, a, func() testbed.Result {
		return h.radclient("127.0.0.1", "disconnect", nasSecret, fmt.Sprintf("NAS-Identifier = %q", a.name))
	})
}
