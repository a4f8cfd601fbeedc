package record

import "encoding/binary"

// The content types of records (RFC 5246 §6.2.1, RFC 9146 §4).
const (
	ChangeCipherSpec = 20
	Alert            = 21
	Handshake        = 22
	ApplicationData  = 23
	withCID          = 25
)

const (
	// HeaderSize is the size of a record's header without a Connection ID.
	HeaderSize = 13
	// MaxPlaintext is the longest content of a record (RFC 5246 §6.2.1).
	MaxPlaintext = 1 << 14
	// MaxOverhead is how much longer than its content a record is, but for its
	// Connection ID: header, explicit nonce, the type within, tag.
	MaxOverhead = HeaderSize + 8 + 1 + 16
	// MaxSequence is the last sequence number of an epoch.
	MaxSequence = 1<<48 - 1

	version12 = 0xfefd
)

// Record is one record of a datagram, which its slices point into.
type Record struct {
	Type     byte // of an encrypted record with a Connection ID only Open knows it
	Epoch    uint16
	Sequence uint64
	CID      []byte // nil: none
	Fragment []byte // the content, or what it was encrypted to

	number [8]byte // epoch and sequence number, as they are on the wire
}

// Next returns the first record of a datagram and what follows it; ok is false if there is
// no whole record. sizeCID is the size of the Connection IDs that this end has given out.
func Next(b []byte, sizeCID int) (r Record, rest []byte, ok bool) {
	size := HeaderSize
	if len(b) > 0 && b[0] == withCID {
		size += sizeCID
	}
	// DTLS 1.0 numbers its ClientHello 254.255, later versions 254.253 (RFC 6347 §4.1).
	if len(b) < size || b[1] != 0xfe || b[0] == withCID && sizeCID == 0 {
		return Record{}, nil, false
	}
	length := int(binary.BigEndian.Uint16(b[size-2:]))
	if len(b) < size+length {
		return Record{}, nil, false
	}
	r.Type = b[0]
	copy(r.number[:], b[3:11])
	r.Epoch = binary.BigEndian.Uint16(b[3:])
	r.Sequence = binary.BigEndian.Uint64(b[3:]) & MaxSequence
	if r.Type == withCID {
		r.CID = b[11 : size-2]
	}
	r.Fragment = b[size : size+length]
	return r, b[size+length:], true
}

// AppendPlain appends a record that is not encrypted, of epoch 0.
func AppendPlain(dst []byte, contentType byte, sequence uint64, content []byte) []byte {
	dst = append(dst, contentType, version12>>8, version12&0xff)
	dst = binary.BigEndian.AppendUint64(dst, sequence)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(content)))
	return append(dst, content...)
}

// SetSequence changes the sequence number of the first record of b, which must not be
// encrypted.
func SetSequence(b []byte, sequence uint64) {
	binary.BigEndian.PutUint16(b[5:], uint16(sequence>>32))
	binary.BigEndian.PutUint32(b[7:], uint32(sequence))
}
