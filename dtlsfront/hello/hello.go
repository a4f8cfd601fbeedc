package hello

import (
	"encoding/binary"

	"radsec-gw/dtlsfront/record"
)

const (
	clientHello        = 1 // handshake types (RFC 6347 §4.3.2)
	helloVerifyRequest = 3

	messageHeader = 12 // type, length, message_seq, fragment_offset, fragment_length
	version10     = 0xfeff
)

// Hello is a ClientHello in one record. Its slices point into the datagram.
type Hello struct {
	Sequence uint64 // of its record
	Message  uint16 // its number in the handshake: 0, or 1 if it answers a HelloVerifyRequest
	Random   []byte // 32 octets
	Cookie   []byte

	before, after []byte // of the message's body, before the cookie's length and after the cookie
	parameters    []byte // of after, what must not change when the cookie is returned
}

// Is reports whether a datagram begins with a record of a ClientHello, whole or not.
func Is(b []byte) bool {
	return len(b) > record.HeaderSize && b[0] == record.Handshake && b[3] == 0 && b[4] == 0 && b[record.HeaderSize] == clientHello
}

// Parse reads the ClientHello that a datagram begins with. ok is false if it is in fragments,
// or malformed. Extensions are not looked at.
func Parse(datagram []byte) (h Hello, ok bool) {
	if !Is(datagram) {
		return Hello{}, false
	}
	r, _, ok := record.Next(datagram, 0)
	if !ok || len(r.Fragment) < messageHeader {
		return Hello{}, false
	}
	b := r.Fragment
	size := uint24(b[1:])
	if uint24(b[6:]) != 0 || uint24(b[9:]) != size || len(b) != messageHeader+size {
		return Hello{}, false
	}
	h = Hello{Sequence: r.Sequence, Message: binary.BigEndian.Uint16(b[4:])}
	body := reader{b[messageHeader:], true}
	version := body.next(2)
	h.Random = body.next(32)
	session := body.vector(1)
	h.before = b[messageHeader : messageHeader+len(version)+len(h.Random)+1+len(session)]
	h.Cookie = body.vector(1)
	h.after = body.rest
	suites := body.vector(2)
	compression := body.vector(1)
	if !body.ok || version[0] != 0xfe || len(suites) == 0 {
		return Hello{}, false
	}
	h.parameters = h.after[:2+len(suites)+1+len(compression)]
	return h, true
}

// WithoutCookie returns the record of the ClientHello that h, which returns a cookie, must
// have followed: without the cookie, and the first of its handshake.
func (h *Hello) WithoutCookie() []byte {
	size := len(h.before) + 1 + len(h.after)
	m := appendMessageHeader(nil, clientHello, 0, size)
	m = append(m, h.before...)
	m = append(m, 0)
	m = append(m, h.after...)
	return record.AppendPlain(nil, record.Handshake, 0, m)
}

// AppendVerifyRequest appends the record of a HelloVerifyRequest that answers h. It has the
// sequence number of h's record, and DTLS 1.0 as its version, whatever follows (RFC 6347
// §4.2.1).
func (h *Hello) AppendVerifyRequest(dst, cookie []byte) []byte {
	size := 2 + 1 + len(cookie)
	at := len(dst)
	dst = record.AppendPlain(dst, record.Handshake, h.Sequence, nil)
	binary.BigEndian.PutUint16(dst[at+1:], version10)
	binary.BigEndian.PutUint16(dst[at+record.HeaderSize-2:], uint16(messageHeader+size))
	dst = appendMessageHeader(dst, helloVerifyRequest, h.Message, size)
	dst = append(dst, version10>>8, version10&0xff, byte(len(cookie)))
	return append(dst, cookie...)
}

// appendMessageHeader appends the header of a handshake message in one fragment (RFC 6347
// §4.2.2).
func appendMessageHeader(dst []byte, messageType byte, number uint16, size int) []byte {
	dst = append(dst, messageType, byte(size>>16), byte(size>>8), byte(size))
	dst = binary.BigEndian.AppendUint16(dst, number)
	return append(dst, 0, 0, 0, byte(size>>16), byte(size>>8), byte(size))
}

func uint24(b []byte) int { return int(b[0])<<16 | int(b[1])<<8 | int(b[2]) }

// reader reads fields one after the other; ok becomes false when one is missing.
type reader struct {
	rest []byte
	ok   bool
}

func (r *reader) next(n int) (b []byte) {
	if len(r.rest) < n {
		r.rest, r.ok = nil, false
		return make([]byte, n)
	}
	b, r.rest = r.rest[:n], r.rest[n:]
	return b
}

// vector reads a field after its length, of one or two octets.
func (r *reader) vector(size int) []byte {
	n := 0
	for _, b := range r.next(size) {
		n = n<<8 | int(b)
	}
	if len(r.rest) < n {
		r.rest, r.ok = nil, false
		return nil
	}
	return r.next(n)
}
