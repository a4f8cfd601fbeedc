package detail

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"radsec-gw/wire"
	"radsec-gw/wire/dict"
)

// packetOf returns an Accounting-Request with attributes, each whole.
func packetOf(attributes ...[]byte) []byte {
	p := append(make([]byte, wire.MinLength), bytes.Join(attributes, nil)...)
	p[0] = 4
	binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
	return p
}

// attr returns an attribute with its type and length.
func attr[T string | []byte](t byte, value T) []byte {
	return append([]byte{t, byte(2 + len(value))}, value...)
}

// vendorAttr returns a Vendor-Specific with one attribute.
func vendorAttr[T string | []byte](vendor uint32, number byte, value T) []byte {
	return attr(26, append(binary.BigEndian.AppendUint32(nil, vendor), attr(number, value)...))
}

// readAll returns the records of a text, which must be read without an error.
func readAll(t testing.TB, text []byte) (records []*Record) {
	t.Helper()
	in := NewReader(bytes.NewReader(text))
	for {
		r, err := in.Next()
		if err == io.EOF {
			return records
		}
		if err != nil {
			t.Fatalf("%v; the text is:\n%s", err, text)
		}
		records = append(records, r)
	}
}

// sameRecord reports differences between a record and what was read of its text.
func sameRecord(t testing.TB, want, got *Record) {
	t.Helper()
	clean := bytes.Clone(want.Packet)
	clean[1] = 0
	if !bytes.Equal(got.Packet, clean) {
		t.Errorf("expected the packet\n%x, got\n%x", clean, got.Packet)
	}
	if !got.Arrived.Equal(want.Arrived) || got.Client != want.Client || got.Address != want.Address {
		t.Errorf("expected %v %q %v, got %v %q %v", want.Arrived, want.Client, want.Address, got.Arrived, got.Client, got.Address)
	}
}

// maker makes random records.
type maker struct {
	*rand.Rand
	known []*dict.Attribute
}

func newMaker(seed uint64) *maker {
	m := &maker{Rand: rand.New(rand.NewPCG(seed, 0))}
	for a := range dict.All() {
		m.known = append(m.known, a)
	}
	return m
}

// awkward are octets that mean something in one place or another.
const awkward = "\x00\x01\x1f \"\\%{:#=,\t\r\né"

func (m *maker) octets(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		if b[i] = byte(m.Uint32()); m.IntN(3) > 0 {
			b[i] = awkward[m.IntN(len(awkward))]
		}
	}
	return b
}

// value returns a value for an attribute: one that is of its type more often than not.
func (m *maker) value(a *dict.Attribute) []byte {
	size := map[dict.Type]int{dict.Integer: 4, dict.Time: 4, dict.IPv4Addr: 4, dict.Integer64: 8, dict.IfID: 8, dict.IPv6Addr: 16, dict.IPv4Prefix: 6}
	switch n, fixed := size[a.Type]; {
	case m.IntN(10) == 0 || !fixed && a.Type != dict.IPv6Prefix:
		return m.octets(m.IntN(40))
	case a.Type == dict.IPv6Prefix:
		bits := m.IntN(129)
		return append([]byte{0, byte(bits)}, make([]byte, (bits+7)/8)...)
	case a.Type == dict.IPv4Prefix:
		return append([]byte{0, byte(m.IntN(33))}, m.octets(4)...)
	case a.Type == dict.Integer && m.IntN(2) == 0:
		return []byte{byte(m.IntN(2)), 0, 0, byte(m.IntN(20))}
	default:
		return m.octets(n)
	}
}

// attribute returns one that the dictionary has, or any.
func (m *maker) attribute() []byte {
	switch m.IntN(8) {
	case 0:
		return attr(byte(m.IntN(256)), m.octets(m.IntN(254)))
	case 1:
		return vendorAttr(m.vendor(), byte(m.Uint32()), m.octets(m.IntN(100)))
	case 2:
		several := append(attr(byte(m.Uint32()), m.octets(3)), attr(byte(m.Uint32()), m.octets(4))...)
		return attr(26, append(binary.BigEndian.AppendUint32(nil, m.vendor()), several...))
	case 3:
		return attr(26, append(binary.BigEndian.AppendUint32(nil, m.vendor()), m.octets(m.IntN(30))...))
	}
	a := m.known[m.IntN(len(m.known))]
	switch value := m.value(a); {
	case a.Vendor != 0:
		return vendorAttr(a.Vendor, byte(a.Number), value)
	case a.Sub != 0:
		return attr(byte(a.Number), append([]byte{a.Sub}, value...))
	default:
		return attr(byte(a.Number), value)
	}
}

// vendor returns a number of one that the dictionary has, one with another layout, or any.
func (m *maker) vendor() uint32 {
	some := []uint32{0, 9, 311, 429, 4846, 8164, 24757, 25053, 99999, maxVendor, maxVendor + 1, m.Uint32()}
	return some[m.IntN(len(some))]
}

// record returns a record with some attributes.
func (m *maker) record() *Record {
	r := &Record{Packet: packetOf()}
	for range m.IntN(30) {
		if a := m.attribute(); len(r.Packet)+len(a) <= wire.MaxLength {
			r.Packet = append(r.Packet, a...)
		}
	}
	binary.BigEndian.PutUint16(r.Packet[2:], uint16(len(r.Packet)))
	r.Packet[1] = byte(m.Uint32())
	if m.IntN(2) == 0 {
		copy(r.Packet[4:20], m.octets(16))
	}
	if m.IntN(4) > 0 {
		r.Arrived = time.Unix(int64(m.Uint32()), m.Int64N(1e9))
	}
	if m.IntN(2) == 0 {
		r.Client = string(m.octets(m.IntN(maxClient + 1)))
	}
	if m.IntN(2) == 0 {
		ip, _ := netip.AddrFromSlice(m.octets([]int{4, 16}[m.IntN(2)]))
		r.Address = netip.AddrPortFrom(ip, uint16(m.Uint32()))
	}
	return r
}
