package spool

import (
	"net"
	"testing"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"
	"layeh.com/radius/rfc2868"
	"layeh.com/radius/rfc2869"

	"radsec-gw/wire"
)

// accounting returns an Accounting-Request under the secret "radsec", signed.
func accounting(t testing.TB, set func(p *radius.Packet)) []byte {
	t.Helper()
	p := radius.New(radius.CodeAccountingRequest, []byte("radsec"))
	rfc2865.NASIdentifier_SetString(p, "ap-7")
	rfc2866.AcctSessionID_SetString(p, "0001")
	rfc2866.AcctStatusType_Set(p, rfc2866.AcctStatusType_Value_Start)
	if set != nil {
		set(p)
	}
	b, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func view(t testing.TB, b []byte) *wire.View {
	t.Helper()
	v := new(wire.View)
	if err := v.Parse(b); err != nil {
		t.Fatal(err)
	}
	return v
}

// Rules: SP5, SP7
func TestMarks(t *testing.T) {
	m := NewMarker()
	base := m.Of("campus", view(t, accounting(t, nil)))
	same := func(a, b Marks) [3]bool {
		return [3]bool{a.nas == b.nas, a.session == b.session, a.content == b.content}
	}
	for _, c := range []struct {
		name   string
		client string
		set    func(p *radius.Packet)
		want   [3]bool // the same NAS, session, content
	}{
		{"the same record again", "campus", nil, [3]bool{true, true, true}},
		{"with an Acct-Delay-Time", "campus", func(p *radius.Packet) { rfc2866.AcctDelayTime_Set(p, 7) }, [3]bool{true, true, true}},
		{"with another Proxy-State", "campus", func(p *radius.Packet) { rfc2865.ProxyState_SetString(p, "x") }, [3]bool{true, true, true}},
		{"with a Message-Authenticator", "campus", func(p *radius.Packet) { rfc2869.MessageAuthenticator_Set(p, make([]byte, 16)) }, [3]bool{true, true, true}},
		{"with a hidden attribute, whose form differs each time", "campus", func(p *radius.Packet) { rfc2868.TunnelPassword_Set(p, 1, []byte("x")) }, [3]bool{true, true, true}},
		{"another record of the session", "campus", func(p *radius.Packet) { rfc2866.AcctStatusType_Set(p, 3) }, [3]bool{true, true, false}},
		{"with an Event-Timestamp", "campus", func(p *radius.Packet) { p.Set(rfc2869.EventTimestamp_Type, []byte{1, 2, 3, 4}) }, [3]bool{true, true, false}},
		{"another session", "campus", func(p *radius.Packet) { rfc2866.AcctSessionID_SetString(p, "0002") }, [3]bool{true, false, false}},
		{"another NAS", "campus", func(p *radius.Packet) { rfc2865.NASIPAddress_Set(p, net.IPv4(192, 0, 2, 1)) }, [3]bool{false, false, false}},
		{"another client", "other", nil, [3]bool{false, false, false}},
	} {
		if got := same(base, m.Of(c.client, view(t, accounting(t, c.set)))); got != c.want {
			t.Errorf("%s: expected the same NAS, session and content: %v, got %v", c.name, c.want, got)
		}
	}
}

// Records without an Acct-Session-Id have no order among themselves: one that is never
// answered must not hold up all others of the NAS.
//
// Rules: SP5
func TestMarksWithoutSession(t *testing.T) {
	m := NewMarker()
	of := func(status rfc2866.AcctStatusType) Marks {
		return m.Of("campus", view(t, accounting(t, func(p *radius.Packet) {
			p.Del(rfc2866.AcctSessionID_Type)
			rfc2866.AcctStatusType_Set(p, status)
		})))
	}
	if of(1).session == of(3).session {
		t.Error("expected a session of its own for each record without Acct-Session-Id, got one for two")
	}
	if first, again := of(1), of(1); first != again {
		t.Error("expected the same marks for the same record, got others")
	}
}

// Rules: SP5
func TestRanks(t *testing.T) {
	m := NewMarker()
	for status, want := range map[rfc2866.AcctStatusType]rank{1: rankStart, 2: rankStop, 3: rankInterim, 7: rankWhole, 8: rankWhole, 9: rankStart, 10: rankStop, 12: rankStart, 13: rankStop, 15: rankInterim, 77: rankInterim} {
		got := m.Of("campus", view(t, accounting(t, func(p *radius.Packet) { rfc2866.AcctStatusType_Set(p, status) })))
		if got.rank != want {
			t.Errorf("Acct-Status-Type %d: expected rank %d, got %d", status, want, got.rank)
		}
	}
}

// Rules: SP7
func TestSameContent(t *testing.T) {
	a := accounting(t, func(p *radius.Packet) { rfc2866.AcctDelayTime_Set(p, 7) })
	if !sameContent(view(t, a), view(t, accounting(t, nil))) {
		t.Error("expected that a delay is not a part of the content")
	}
	if sameContent(view(t, a), view(t, accounting(t, func(p *radius.Packet) { rfc2865.UserName_SetString(p, "x") }))) {
		t.Error("expected that User-Name is a part of the content")
	}
}
