package spool

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"
)

// randomRecord returns a record with any contents.
func randomRecord(r *rand.Rand) *Record {
	octets := func(most int) []byte {
		if r.IntN(4) == 0 {
			return nil
		}
		b := make([]byte, 1+r.IntN(most))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return b
	}
	rec := &Record{
		Arrived: time.Unix(0, r.Int64()-1<<62),
		Client:  string(octets(300)),
		Route:   string(octets(300)),
		Origin:  octets(70_000*r.IntN(2)/3 + 10),
		Sent:    r.IntN(2) == 0,
		at:      r.Int64() - 1<<62,
		Packet:  make([]byte, 20),
	}
	switch r.IntN(4) {
	case 0:
		rec.Address = netip.AddrPortFrom(netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, r.Uint32()))), uint16(r.Uint32()))
	case 1:
		rec.Address = netip.MustParseAddrPort("[2001:db8::7]:2083")
	case 2:
		rec.Address = netip.MustParseAddrPort("[fe80::1%eth0]:2083")
	}
	for len(rec.Packet) < 3000*r.IntN(2) {
		n := 2 + r.IntN(200)
		rec.Packet = append(append(rec.Packet, byte(r.Uint32()), byte(n)), make([]byte, n-2)...)
	}
	rec.Packet[0] = 4
	binary.BigEndian.PutUint16(rec.Packet[2:], uint16(len(rec.Packet)))
	return rec
}

// What is encoded decodes to the same, and several encoded records are told apart by their
// lengths.
//
// Rules: SP4
func TestRecordRoundTrip(t *testing.T) {
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 7))
		first, second := randomRecord(r), randomRecord(r)
		both := second.appendTo(first.appendTo(nil))
		n := encodedLength(both)
		for i, c := range []struct {
			b    []byte
			want *Record
		}{{both[:n], first}, {both[n:], second}} {
			got, err := decodeRecord(c.b)
			if err != nil {
				t.Fatalf("seed %d, record %d: expected no error, got %v", seed, i, err)
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Fatalf("seed %d, record %d: expected %+v, got %+v", seed, i, c.want, got)
			}
			if size := c.want.size(len(c.want.Packet)); size < len(c.b)-len(c.want.Address.Addr().Zone()) {
				t.Fatalf("seed %d, record %d: expected a size of at least %d, got %d", seed, i, len(c.b), size)
			}
		}
	}
}

// What decodeRecord returns shares no memory with what it was given.
func TestDecodedRecordIsACopy(t *testing.T) {
	want := randomRecord(rand.New(rand.NewPCG(1, 7)))
	b := want.appendTo(nil)
	got, err := decodeRecord(b)
	if err != nil {
		t.Fatal(err)
	}
	clear(b)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("expected %+v, got %+v", want, got)
	}
}

// A record with any octet changed, or cut off anywhere, is damaged, or of another version.
//
// Rules: SP13
func TestDamagedRecord(t *testing.T) {
	b := (&Record{Arrived: arrived, Client: "campus", Route: "a", Packet: accounting(t, nil)}).appendTo(nil)
	for i := range b {
		if _, err := decodeRecord(b[:i]); !errors.Is(err, errDamaged) {
			t.Errorf("cut off after %d octets: expected that it is damaged, got %v", i, err)
		}
		changed := bytes.Clone(b)
		changed[i] ^= 0x10
		want := errDamaged
		if i == 0 {
			want = errVersion
		}
		if _, err := decodeRecord(changed); !errors.Is(err, want) {
			t.Errorf("octet %d changed: expected %q, got %v", i, want, err)
		}
	}
}

// sealed returns a record with a checksum that is right, whatever else it is.
func sealed(body []byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{formatVersion}, crc32.Checksum(body, castagnoli)), body...)
}

// What cannot have been written by this version is an error with its reason.
//
// Rules: SP13
func TestRecordWithTheRightChecksum(t *testing.T) {
	times := make([]byte, 16)
	fields := func(packet []byte, flags byte) []byte {
		b := append(bytes.Clone(times), flags)
		b = append(b, 0, 2, 0, 0) // no address, port 0
		b = append(b, 0, 0, 0, 0, 0, 0)
		return append(binary.BigEndian.AppendUint16(b, uint16(len(packet))), packet...)
	}
	access := accounting(t, nil)
	access[0] = 1
	for _, c := range []struct {
		name string
		body []byte
		want string
	}{
		{"empty", nil, "its times are missing"},
		{"without fields", append(bytes.Clone(times), 0), "field 0 is cut off"},
		{"no packet", fields(nil, 0), "its packet"},
		{"an Access-Request", fields(access, 0), "expected an Accounting-Request, got Code 1"},
		{"more than a record", append(fields(accounting(t, nil), 0), 9), "1 octets follow the last field"},
		{"flags of another version", fields(accounting(t, nil), 0x82), "unknown version: expected flags up to 0x1, got 0x82"},
	} {
		if _, err := decodeRecord(sealed(c.body)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: expected an error with %q, got %v", c.name, c.want, err)
		}
	}
	if _, err := decodeRecord(sealed(fields(accounting(t, nil), flagSent))); err != nil {
		t.Errorf("a whole record: expected no error, got %v", err)
	}
}

// A field that is longer than its length can say is not stored.
//
// Rules: SP4
func TestRecordThatCannotBeEncoded(t *testing.T) {
	long := strings.Repeat("x", maxField+1)
	for name, r := range map[string]*Record{"client": {Client: long}, "route": {Route: long}, "origin": {Origin: []byte(long)}, "packet": {Packet: []byte(long)}} {
		want := fmt.Sprintf("record of the spool: expected at most 65535 octets of %s, got 65536", name)
		if err := r.check(); err == nil || err.Error() != want {
			t.Errorf("expected %q, got %v", want, err)
		}
	}
	if err := (&Record{Client: long[1:], Route: long[1:]}).check(); err != nil {
		t.Errorf("expected no error, got %v", err)
	}
}

// Whatever octets a store has, decodeRecord returns a record that encodes to the same, or an
// error.
//
// Rules: SP4, SP9
func FuzzRecord(f *testing.F) {
	r := rand.New(rand.NewPCG(3, 7))
	for range 8 {
		f.Add(randomRecord(r).appendTo(nil), false)
		f.Add(randomRecord(r).appendTo(nil)[headLength:], true)
	}
	f.Add([]byte{}, false)
	f.Add([]byte{formatVersion, 0, 0, 0, 0}, false)
	f.Add(make([]byte, 40), true)
	f.Fuzz(func(t *testing.T, b []byte, seal bool) {
		if seal { // otherwise nearly everything has a wrong checksum
			b = sealed(b)
		}
		before := bytes.Clone(b)
		got, err := decodeRecord(b)
		if !bytes.Equal(b, before) {
			t.Fatal("expected that the octets stay as they are")
		}
		if err != nil {
			if !errors.Is(err, errDamaged) && !errors.Is(err, errVersion) {
				t.Fatalf("expected that it is damaged, or of another version, got %v", err)
			}
			return
		}
		if again := got.appendTo(nil); !bytes.Equal(again, b) {
			t.Fatalf("expected % x again, got % x", b, again)
		}
		got.renew(time.Hour)
	})
}
