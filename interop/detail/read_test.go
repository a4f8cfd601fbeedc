package detail

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"radsec-gw/spool/detail"
	"radsec-gw/wire/dict"
)

// arrived is when records in these tests have arrived.
var arrived = time.Date(2026, 7, 1, 12, 0, 0, 5e8, time.UTC)

// session returns an Acct-Session-Id.
func session(i int) []byte { return attr(44, fmt.Sprintf("session-%d", i)) }

// renamed are the attributes, by number, that FreeRADIUS 3.2.1 writes in a form that a Reader
// cannot carry over: 119 is one of Ascend's to it, and 141 a number.
var renamed = []uint16{119, 141}

// FreeRADIUS reads every attribute of the dictionary as we write it: what it writes then has the
// same. Its clock shows another time zone. Hidden ones it does not see.
// Rules: SP12, SP14
func TestFreeRADIUSReadsEveryAttribute(t *testing.T) {
	var text []byte
	var packets [][]byte
	var of []*dict.Attribute
	for a := range dict.All() {
		value, ok := sample(a)
		if !ok || a.Vendor != 0 && (a.Sub != 0 || dict.LayoutOf(a.Vendor) != dict.Layout11) {
			continue
		}
		packet := packetOf(session(len(packets)), whole(a, value))
		text = (&detail.Record{Arrived: arrived, Client: "campus", Packet: packet}).Append(text)
		packets, of = append(packets, packet), append(of, a)
	}
	got := parse(t, read(t, "America/New_York", "", text))
	if len(got) != len(packets) {
		t.Fatalf("FreeRADIUS has written %d records, expected all %d", len(got), len(packets))
	}
	for i, want := range packets {
		a := of[i]
		if a.IsHidden([]byte("1")) {
			want = packetOf(session(i))
		}
		if a.Vendor == 0 && slices.Contains(renamed, a.Number) {
			if len(got[i].Skipped) != 1 {
				t.Errorf("%s: expected it to be skipped, got the record\n%s", a.Name, got[i].Append(nil))
			}
			continue
		}
		expectAttributes(t, a.Name, want, got[i])
	}
}

// expectAttributes compares the attributes of a packet with those of a record that FreeRADIUS has
// written.
func expectAttributes(t *testing.T, name string, want []byte, got *detail.Record) {
	t.Helper()
	if len(got.Skipped) > 0 {
		t.Errorf("%s: expected nothing skipped, got %q", name, got.Skipped)
	}
	if w, g := attributesOf(want), attributesOf(got.Packet); !bytes.Equal(bytes.Join(w, nil), bytes.Join(g, nil)) {
		t.Errorf("%s: expected the attributes\n%x, got\n%x", name, w, g)
	}
}

// FreeRADIUS takes a file to its end, whatever is in the packets: a line that it does not
// understand would make it drop the rest.
// Rules: SP12, SP14
func TestFreeRADIUSReadsRandomPackets(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	var known []*dict.Attribute
	for a := range dict.All() {
		known = append(known, a)
	}
	const records = 1000
	var text []byte
	for i := range records {
		packet := packetOf(append([][]byte{session(i)}, attributesOf(randomPacket(r, known))...)...)
		copy(packet[4:], "authenticator...")
		text = (&detail.Record{Arrived: arrived, Client: "a \"client\"\n", Packet: packet}).Append(text)
	}
	got := parse(t, read(t, "UTC", "", text))
	if len(got) != records {
		t.Fatalf("FreeRADIUS has written %d records, expected %d: it has dropped the file at\n%s", len(got), records, bytes.Split(text, []byte("\n\n"))[len(got)])
	}
	for i, record := range got {
		if id := attributesOf(record.Packet)[0]; !bytes.Equal(id, session(i)) {
			t.Fatalf("record %d: expected the Acct-Session-Id %q, got %q", i, session(i), id)
		}
	}
}

// FreeRADIUS sees when a record has arrived, in Acct-Delay-Time and in an attribute of its own.
// Rules: SP14
func TestFreeRADIUSSeesTheAge(t *testing.T) {
	const delay = 7
	happened := time.Now().Add(-time.Hour)
	r := &detail.Record{Arrived: happened, Packet: packetOf(session(1), attr(41, []byte{0, 0, 0, delay}))}
	text := read(t, "Asia/Tokyo", "", r.Append(nil))
	var age uint32
	packet := parse(t, text)[0].Packet
	if at := bytes.Index(packet, []byte{41, 6}); at > 0 {
		age = binary.BigEndian.Uint32(packet[at+2:])
	}
	if passed := time.Since(happened); age < 3600+delay || float64(age) > passed.Seconds()+delay+1 {
		t.Errorf("expected an Acct-Delay-Time of an hour and %d seconds, got %d", delay, age)
	}
	if want := "Packet-Original-Timestamp = \"" + happened.In(time.FixedZone("JST", 9*3600)).Format("Jan _2 2006 15:04:05 MST") + "\""; !strings.Contains(string(text), want) {
		t.Errorf("expected %s, got\n%s", want, text)
	}
}

// What the documentation says of FreeRADIUS: it drops a file from the first name on that it does
// not know; and it makes up an address of the NAS where a record has none, unless a line tells.
func TestLimitsOfFreeRADIUS(t *testing.T) {
	record := (&detail.Record{Arrived: arrived, Packet: packetOf(session(1))}).Append(nil)
	named := bytes.Replace(record, []byte("# Radsec-Gw-Arrived"), []byte("\tRadsec-Gw-Arrived"), 1)
	if got := read(t, "UTC", "", append(bytes.Clone(named), record...)); len(got) > 0 {
		t.Errorf("expected nothing of a file with a name that FreeRADIUS does not know, got\n%s", got)
	}
	told := bytes.Replace(record, []byte("\tTimestamp"), []byte("\tClient-IP-Address = 192.0.2.9\n\tTimestamp"), 1)
	for _, c := range []struct {
		text    []byte
		address string
	}{{record, "255.255.255.255"}, {told, "192.0.2.9"}} {
		if got := read(t, "UTC", preacct, c.text); !strings.Contains(string(got), "\tNAS-IP-Address = "+c.address+"\n") {
			t.Errorf("expected the NAS-IP-Address %s in\n%s", c.address, got)
		}
	}
}
