package spool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"net/netip"
	"time"

	"radsec-gw/wire"
)

// Record is one Accounting-Request that the spool keeps.
//
// Rules: SP4.
type Record struct {
	Arrived time.Time      // by the clock of the machine, which may jump
	Client  string         // the name of the client that sent it
	Address netip.AddrPort // of the client's connection; the zero AddrPort: not known
	Route   string         // that it took when it arrived
	Origin  []byte         // what the relay needs to know of the connection, in the relay's own form; nil: nothing
	Sent    bool           // it was sent to a server, which did not answer in time and may have it
	// Packet is the Accounting-Request with its attributes as received, but without
	// Proxy-State and Message-Authenticator, which are about the hop to the client. Hidden
	// attributes are encrypted under the spool's secret, and so are the authenticator's digest.
	Packet []byte

	at int64 // on the spool's clock, when it arrived
}

// formatVersion is the first octet of an encoded record.
//
// Rules: SP13.
const formatVersion = 1

// Errors of decodeRecord.
var (
	errVersion = errors.New("record of the spool: unknown version")
	errDamaged = errors.New("record of the spool: damaged")
	errForeign = errors.New("record of the spool: signed by no gateway that shares the store, or with a secret that was lost")
)

// castagnoli is the polynomial that processors have an instruction for; read only.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const flagSent = 1

// headLength is the length of what precedes an encoded record's fields: version and checksum.
const headLength = 1 + 4

// appendTo appends the encoded record: version, checksum of what follows, the time of
// arrival on both clocks, flags, and the other fields, each after its length.
func (r *Record) appendTo(b []byte) []byte {
	start := len(b)
	b = append(b, formatVersion, 0, 0, 0, 0)
	b = binary.BigEndian.AppendUint64(b, uint64(r.at))
	b = binary.BigEndian.AppendUint64(b, uint64(r.Arrived.UnixNano()))
	flags := byte(0)
	if r.Sent {
		flags = flagSent
	}
	b = append(b, flags)
	address, _ := r.Address.MarshalBinary() // it has no error
	for _, field := range [][]byte{address, []byte(r.Client), []byte(r.Route), r.Origin, r.Packet} {
		b = binary.BigEndian.AppendUint16(b, uint16(len(field)))
		b = append(b, field...)
	}
	binary.BigEndian.PutUint32(b[start+1:], crc32.Checksum(b[start+headLength:], castagnoli))
	return b
}

// maxField is the length of the longest field of a record in octets: what two octets hold.
const maxField = 1<<16 - 1

// check reports what makes a record one that cannot be encoded.
func (r *Record) check() error {
	for _, field := range []struct {
		name   string
		length int
	}{{"client", len(r.Client)}, {"route", len(r.Route)}, {"origin", len(r.Origin)}, {"packet", len(r.Packet)}} {
		if field.length > maxField {
			return fmt.Errorf("record of the spool: expected at most %d octets of %s, got %d", maxField, field.name, field.length)
		}
	}
	return nil
}

// isLeftAlone reports whether an error of decodeRecord says that the record may be another's.
//
// Rules: SP13, GW6.
func isLeftAlone(err error) bool { return errors.Is(err, errVersion) || errors.Is(err, errForeign) }

// decodeRecord decodes a record; nil is one that does not verify. What it returns shares no memory
// with b. The error is an errVersion, an errDamaged or an errForeign, with the reason.
func decodeRecord(b []byte) (*Record, error) {
	if b == nil {
		return nil, errForeign
	}
	if len(b) < headLength {
		return nil, fmt.Errorf("%w: expected at least %d octets, got %d", errDamaged, headLength, len(b))
	}
	if b[0] != formatVersion {
		return nil, fmt.Errorf("%w: expected %d, got %d; was it written by a later version of radsec-gw?", errVersion, formatVersion, b[0])
	}
	sum, b := binary.BigEndian.Uint32(b[1:]), b[headLength:]
	if crc32.Checksum(b, castagnoli) != sum {
		return nil, fmt.Errorf("%w: its checksum is wrong", errDamaged)
	}
	const fixed = 8 + 8 + 1
	if len(b) < fixed {
		return nil, fmt.Errorf("%w: its times are missing", errDamaged)
	}
	if b[16] > flagSent {
		return nil, fmt.Errorf("%w: expected flags up to %#x, got %#x", errVersion, flagSent, b[16])
	}
	r := &Record{at: int64(binary.BigEndian.Uint64(b)), Arrived: time.Unix(0, int64(binary.BigEndian.Uint64(b[8:]))), Sent: b[16] == flagSent}
	b = b[fixed:]
	var fields [5][]byte
	for i := range fields {
		if len(b) < 2 || len(b)-2 < int(binary.BigEndian.Uint16(b)) {
			return nil, fmt.Errorf("%w: field %d is cut off", errDamaged, i)
		}
		n := 2 + int(binary.BigEndian.Uint16(b))
		fields[i], b = b[2:n], b[n:]
	}
	if len(b) > 0 {
		return nil, fmt.Errorf("%w: %d octets follow the last field", errDamaged, len(b))
	}
	if err := r.Address.UnmarshalBinary(fields[0]); err != nil {
		return nil, fmt.Errorf("%w: its address: %v", errDamaged, err)
	}
	r.Client, r.Route = string(fields[1]), string(fields[2])
	r.Origin = append([]byte(nil), fields[3]...)
	r.Packet = append([]byte(nil), fields[4]...)
	return r, r.checkPacket()
}

// checkPacket reports whether the packet is an Accounting-Request.
func (r *Record) checkPacket() error {
	var v wire.View
	if err := v.Parse(r.Packet); err != nil {
		return fmt.Errorf("%w: its packet: %v", errDamaged, err)
	}
	if v.Kind() != wire.KindAccounting {
		return fmt.Errorf("%w: expected an Accounting-Request, got Code %d", errDamaged, v.Code())
	}
	return nil
}

// size returns the octets of the encoded record with a packet of a length.
func (r *Record) size(packet int) int {
	const fixed = headLength + 8 + 8 + 1 + 5*2
	const address = 16 + 2 // an IPv6 address without a zone, and its port
	return fixed + address + len(r.Client) + len(r.Route) + len(r.Origin) + packet
}

// encodedLength returns the length of the encoded record that b begins with, which
// appendTo has written.
func encodedLength(b []byte) int {
	n := headLength + 8 + 8 + 1
	for range 5 {
		n += 2 + int(binary.BigEndian.Uint16(b[n:]))
	}
	return n
}
