package spool

import (
	"encoding/binary"
	"net"
	"testing"
	"time"

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

// What the store has of a record has the marks of the record: a shared store would otherwise be
// taken for one that has lost it.
//
// Rules: SP7, GW4
func FuzzContentOfStored(f *testing.F) {
	f.Add([]byte{}, []byte{}, true)
	f.Add([]byte{241, 7, 3, 0, 0, 16, 0}, []byte{241, 7, 4, 0, 0, 0, 4}, false)
	f.Add([]byte{79, 6, 2, 1, 0, 4}, []byte{33, 3, 1}, true)
	f.Add([]byte{26, 14, 0, 0, 1, 55, 16, 8, 1, 2, 3, 4, 5, 6}, []byte{26, 7, 0, 0, 0, 9, 1}, true)
	f.Add([]byte{2, 18, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, []byte{69, 21, 1, 128, 1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, true)
	f.Add([]byte{241, 5, 1, 2, 3}, []byte{245, 6, 1, 128, 2, 3}, true)
	f.Add([]byte{41, 6, 0, 0, 0, 9}, []byte{80, 18, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, true)
	vendor := func(number uint32, inside ...byte) []byte {
		return append(binary.BigEndian.AppendUint32([]byte{26, byte(6 + len(inside))}, number), inside...)
	}
	plain := []byte{1, 4, 'x', 'y'}
	for _, v11 := range []bool{false, true} {
		f.Add(vendor(9, 18, 18, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16), vendor(9, append([]byte{18, 4, 7, 7}, plain...)...), v11) // a signature
		f.Add(vendor(14823, append(append([]byte{1, 202}, make([]byte, 200)...), append([]byte{44, 42}, make([]byte, 40)...)...)...), vendor(14823, append([]byte{44, 5, 1, 2, 3}, plain...)...), v11)
		f.Add(vendor(24757, 5, 5, 0x80, 1, 2), vendor(24757, 5, 6, 0, 3, 4, 5, 1, 5, 0, 6, 7), v11)
		f.Add(vendor(24757, 1, 5, 0x80, 1, 2), vendor(24757, 86, 9, 0, 3, 4, 9, 9, 1, 2), v11)
		f.Add(vendor(311, 17, 20), vendor(9, 1, 9, 'l', 'e', 'a', 'p', ':', 's'), v11)
	}
	key := make([]byte, secretLength)
	sec, err := newSecret(key)
	if err != nil {
		f.Fatal(err)
	}
	from, err := wire.NewClientSecret([]byte("radsec"))
	if err != nil {
		f.Fatal(err)
	}
	w := &writer{Spool: &Spool{secret: sec, marker: NewMarker()}, digests: wire.NewDigests(), packets: make([][wire.MaxLength]byte, 1)}
	f.Fuzz(func(t *testing.T, first, second []byte, v11 bool) {
		b := append(append(accounting(t, nil), first...), second...)
		if len(b) > wire.MaxLength {
			return
		}
		binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
		e := &Entry{Record: Record{Client: "campus", Arrived: time.Unix(1, 0)}, From: from}
		parse := e.Packet.Parse
		if v11 {
			parse = e.Packet.Parse11
		}
		if parse(b) != nil {
			return
		}
		e.Marks = w.marker.Of(e.Record.Client, &e.Packet)
		w.add, w.encoded = w.add[:0], w.encoded[:0]
		if w.seal([]*Entry{e}); e.Err != nil {
			return
		}
		if got := w.marker.contentOf(w.encoded); got != e.Marks.content {
			t.Errorf("% x, RADIUS/1.1 %v: expected that what is stored has the same content", b[20:], v11)
		}
	})
}
