package spool

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"
	"layeh.com/radius/rfc2869"

	"radsec-gw/wire"
)

// arrived is when the records of these tests arrived.
var arrived = time.Unix(1_700_000_000, 999_000_000)

// seconds is the value of an attribute with four octets.
func seconds(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }

// renewed returns a packet as it is sent after some time.
func renewed(t *testing.T, packet []byte, age time.Duration) *wire.View {
	t.Helper()
	r := Record{Arrived: arrived, Packet: packet}
	before := bytes.Clone(packet)
	v := view(t, r.renew(age))
	if !bytes.Equal(r.Packet, before) {
		t.Error("expected that the packet of the record stays as it is")
	}
	return v
}

// The delay grows by the age, in whole seconds, and says no more than the attribute can. The
// time of the event is what the NAS says, or the arrival without the delay.
//
// Rules: SP6
func TestRenew(t *testing.T) {
	for _, c := range []struct {
		name         string
		delay, event []byte // attributes of the packet; nil: none
		age          time.Duration
		wantDelay    uint32
		wantEvent    uint32
	}{
		{"without both", nil, nil, 90 * time.Second, 90, 1_700_000_000},
		{"at once", nil, nil, 999 * time.Millisecond, 0, 1_700_000_000},
		{"an age that is negative", nil, nil, -time.Hour, 0, 1_700_000_000},
		{"with a delay", seconds(7), nil, time.Hour, 3607, 1_700_000_000 - 7},
		{"with a time", nil, seconds(1_600_000_000), time.Minute, 60, 1_600_000_000},
		{"with both", seconds(7), seconds(5), time.Minute, 67, 5},
		{"a delay that is too long", seconds(math.MaxUint32 - 1), seconds(5), time.Minute, math.MaxUint32, 5},
		{"the longest delay", seconds(math.MaxUint32), nil, 0, math.MaxUint32, 0},
		{"a year", seconds(1), nil, 365 * 24 * time.Hour, 365*24*3600 + 1, 1_700_000_000 - 1},
	} {
		v := renewed(t, accounting(t, func(p *radius.Packet) {
			if c.delay != nil {
				p.Add(rfc2866.AcctDelayTime_Type, c.delay)
			}
			if c.event != nil {
				p.Add(rfc2869.EventTimestamp_Type, c.event)
			}
		}), c.age)
		if got := integer(v.Get(byte(rfc2866.AcctDelayTime_Type))); got != c.wantDelay {
			t.Errorf("%s: expected Acct-Delay-Time %d, got %d", c.name, c.wantDelay, got)
		}
		if got := integer(v.Get(byte(rfc2869.EventTimestamp_Type))); got != c.wantEvent {
			t.Errorf("%s: expected Event-Timestamp %d, got %d", c.name, c.wantEvent, got)
		}
		count := map[byte]int{}
		for a := range v.All() {
			count[a]++
		}
		if count[byte(rfc2866.AcctDelayTime_Type)] != 1 || count[byte(rfc2869.EventTimestamp_Type)] != 1 {
			t.Errorf("%s: expected one Acct-Delay-Time and one Event-Timestamp, got %v", c.name, count)
		}
	}
}

// The attributes stay in their order, and what is added comes last. Only the first delay
// counts, and values of the wrong length are left alone.
//
// Rules: SP6
func TestRenewKeepsTheOrder(t *testing.T) {
	v := renewed(t, accounting(t, func(p *radius.Packet) {
		p.Add(rfc2866.AcctDelayTime_Type, []byte{9})
		p.Add(rfc2869.EventTimestamp_Type, []byte{1, 2, 3})
		p.Add(rfc2866.AcctDelayTime_Type, seconds(5))
		rfc2865.Class_AddString(p, "one")
		p.Add(rfc2866.AcctDelayTime_Type, seconds(50))
		rfc2865.Class_AddString(p, "two")
	}), time.Second)
	var types []byte
	var delays [][]byte
	for a, value := range v.All() {
		types = append(types, a)
		if radius.Type(a) == rfc2866.AcctDelayTime_Type {
			delays = append(delays, value)
		}
	}
	if want := []byte{32, 44, 40, 41, 55, 41, 25, 41, 25, 55}; !bytes.Equal(types, want) {
		t.Errorf("expected the attributes %v, got %v", want, types)
	}
	if want := [][]byte{{9}, seconds(6), seconds(50)}; len(delays) != 3 || !bytes.Equal(delays[0], want[0]) || !bytes.Equal(delays[1], want[1]) || !bytes.Equal(delays[2], want[2]) {
		t.Errorf("expected the delays %v, got %v", want, delays)
	}
}

// A packet that is as long as a packet can be is sent as it is; one that has space for one
// attribute gets the delay.
//
// Rules: SP6
func TestRenewAFullPacket(t *testing.T) {
	for space, want := range map[int][2]bool{0: {}, 5: {}, 6: {true, false}, 11: {true, false}, 12: {true, true}} {
		packet := accounting(t, nil)
		for len(packet) < wire.MaxLength-space {
			n := min(255, wire.MaxLength-space-len(packet))
			if rest := wire.MaxLength - space - len(packet) - n; rest == 1 {
				n--
			}
			packet = append(append(packet, byte(rfc2865.Class_Type), byte(n)), make([]byte, n-2)...)
		}
		binary.BigEndian.PutUint16(packet[2:], uint16(len(packet)))
		v := renewed(t, packet, time.Minute)
		got := [2]bool{v.Get(byte(rfc2866.AcctDelayTime_Type)) != nil, v.Get(byte(rfc2869.EventTimestamp_Type)) != nil}
		if got != want {
			t.Errorf("space for %d octets: expected a delay and a time: %v, got %v", space, want, got)
		}
	}
}

// delayOf returns the Acct-Delay-Time of what was sent.
func delayOf(t *testing.T, sent transmission) uint32 {
	t.Helper()
	return integer(view(t, sent.packet).Get(byte(rfc2866.AcctDelayTime_Type)))
}

// A record says how old it is, whenever it is sent: an hour later, and by the next process,
// which begins another hour later. It was waiting for a server before it came to the spool.
//
// Rules: SP6
func TestDelayOfARecord(t *testing.T) {
	directory := t.TempDir()
	begin := time.Time{}
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, directory, roomy)
		b.owner.set(silent)
		begin = time.Now()
		e := b.entry(s1Start, func(p *radius.Packet) { rfc2866.AcctDelayTime_Set(p, 7) })
		e.Record.Arrived, e.Waited = time.Now().Add(-5*time.Second), 5*time.Second
		if err := b.Add(e); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := b.State().Oldest; got != 5*time.Second {
			t.Errorf("expected that the oldest record is 5 s old at once, got %v", got)
		}
		pass(time.Hour)
		for _, sent := range b.owner.transmissions() {
			if got, want := delayOf(t, sent), 12+uint32(sent.at/time.Second); got != want {
				t.Errorf("sent after %v: expected an Acct-Delay-Time of %d s, got %d s", sent.at, want, got)
			}
		}
		if got, want := b.State().Oldest, time.Hour+5*time.Second; got < want || got > want+time.Second {
			t.Errorf("expected that the oldest record is %v old, got %v", want, got)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		pass(2*time.Hour - time.Since(begin))
		b := newBed(t, directory, roomy)
		pass(time.Minute)
		sent := b.owner.transmissions()
		if len(sent) != 1 {
			t.Fatalf("expected one transmission, got %d", len(sent))
		}
		if got, want := delayOf(t, sent[0]), uint32(2*3600+12); got != want {
			t.Errorf("sent by the next process: expected an Acct-Delay-Time of %d s, got %d s", want, got)
		}
		if b.wantRecords("after the answer", 0); len(b.kept()) != 0 {
			t.Errorf("expected that nothing is kept, got %q", b.kept())
		}
	})
}
