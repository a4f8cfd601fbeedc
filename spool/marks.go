package spool

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"
	"layeh.com/radius/rfc2869"
	"layeh.com/radius/rfc3162"

	"radsec-gw/wire"
)

// Marks is what a record is ordered and recognized by. Its hashes are of this process only.
//
// Rules: SP5, SP7.
type Marks struct {
	nas     uint64 // of the client's name and what identifies the NAS
	session uint64 // of nas and Acct-Session-Id; of nas and content without one
	content uint64 // of the client's name and what is the same in all copies
	rank    rank
	delay   time.Duration // Acct-Delay-Time: how long before its arrival it happened (RFC 2866 §5.2)
}

// Precedes reports whether a record that arrived earlier must be sent before another: it is of
// the same session, or one of them is about all sessions of the NAS.
func (m *Marks) Precedes(other *Marks) bool {
	return m.session == other.session || m.nas == other.nas && (m.rank == rankWhole || other.rank == rankWhole)
}

// rank is the place of a record in its session, by Acct-Status-Type (RFC 2866 §5.1, RFC
// 2867 §3).
type rank uint8

const (
	rankStart   rank = iota // Start, Tunnel-Start, Tunnel-Link-Start
	rankInterim             // Interim-Update, and what is not known
	rankStop                // Stop, Tunnel-Stop, Tunnel-Link-Stop
	rankWhole               // Accounting-On, Accounting-Off: they end all sessions of the NAS
)

// ranks has the rank of each Acct-Status-Type that is not an interim one; read only.
var ranks = map[uint32]rank{
	1: rankStart, 9: rankStart, 12: rankStart,
	2: rankStop, 10: rankStop, 13: rankStop,
	7: rankWhole, 8: rankWhole,
}

// Marker computes the Marks of records. It may be used by several goroutines.
type Marker struct{ seed maphash.Seed }

// NewMarker returns a Marker with a seed of its own: no client can construct two records
// with the same hashes.
func NewMarker() *Marker { return &Marker{maphash.MakeSeed()} }

// contentOf returns the hash of what a store has of a record, also of one that cannot be read.
func (m *Marker) contentOf(value []byte) uint64 {
	r, err := decodeRecord(value)
	if err != nil {
		return maphash.Bytes(m.seed, value)
	}
	return m.contentOfRecord(r)
}

func (m *Marker) contentOfRecord(r *Record) uint64 {
	var v wire.View
	v.Parse(r.Packet) // decodeRecord has parsed it
	k := m.Of(r.Client, &v)
	return k.content
}

// Of returns the marks of a client's Accounting-Request.
func (m *Marker) Of(client string, v *wire.View) Marks {
	var k Marks
	k.rank = rankInterim
	var nas, content maphash.Hash
	nas.SetSeed(m.seed)
	content.SetSeed(m.seed)
	nas.WriteString(client)
	content.WriteString(client)
	var session []byte
	var lasting [wire.MaxLasting]byte
	for t, value := range v.All() {
		switch radius.Type(t) {
		case rfc2866.AcctStatusType_Type:
			if r, ok := ranks[integer(value)]; ok {
				k.rank = r
			}
		case rfc2866.AcctSessionID_Type:
			session = value
		case rfc2866.AcctDelayTime_Type:
			k.delay = time.Duration(integer(value)) * time.Second
		case rfc2865.NASIdentifier_Type, rfc2865.NASIPAddress_Type, rfc3162.NASIPv6Address_Type:
			writeAttribute(&nas, t, value)
		}
		if !volatile(t) {
			content.Write(wire.AppendLasting(lasting[:0], t, value))
		}
	}
	k.nas, k.content = nas.Sum64(), content.Sum64()
	if len(session) > 0 {
		writeAttribute(&nas, byte(rfc2866.AcctSessionID_Type), session)
	} else {
		var b [8]byte
		binary.BigEndian.PutUint64(b[:], k.content)
		nas.Write(b[:])
	}
	k.session = nas.Sum64()
	return k
}

func writeAttribute(h *maphash.Hash, t byte, value []byte) {
	h.WriteByte(t)
	h.WriteByte(byte(len(value)))
	h.Write(value)
}

// integer returns a value of type integer, 0 if it does not have four octets.
func integer(value []byte) uint32 {
	if len(value) != 4 {
		return 0
	}
	return binary.BigEndian.Uint32(value)
}

// volatile reports whether an attribute may differ in copies of one record, beside what
// wire.AppendLasting leaves out: the delay of this copy, and what no server gets (RFC 2869 §5.19).
func volatile(t byte) bool {
	switch radius.Type(t) {
	case rfc2866.AcctDelayTime_Type, rfc2869.EAPMessage_Type:
		return true
	}
	return false
}

// sameContent reports whether two packets are copies of one record of a client.
func sameContent(a, b *wire.View) bool {
	return bytes.Equal(content(nil, a), content(nil, b))
}

// content appends the attributes of a packet that are the same in all copies of a record.
func content(b []byte, v *wire.View) []byte {
	for t, value := range v.All() {
		if !volatile(t) {
			b = wire.AppendLasting(b, t, value)
		}
	}
	return b
}
