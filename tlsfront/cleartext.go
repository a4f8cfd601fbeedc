package tlsfront

// maxHelloKept is how much of a ClientHello is kept, because crypto/tls may refuse it
// without saying why. It is enough for the extensions of any usual ClientHello. Of what
// follows the ClientHello, everything is kept.
const maxHelloKept = 4 << 10

// clearRecords scans the TLS records that the peer sends in a handshake for what
// crypto/tls does not report: unencrypted alerts, a ClientHello that it cannot parse,
// and in TLS 1.2 certificates that it cannot parse. The zero value is ready for use. It
// is owned by the handshake's goroutine.
type clearRecords struct {
	head      [5]byte // of the record: type, version, length (RFC 8446 §5.1)
	headLen   int     // octets in head
	remaining int     // octets of the content that are missing
	body      [2]byte // of a record that may be an alert
	bodyLen   int     // octets in body

	alerted bool  // the last record was an unencrypted alert
	alert   alert // the last alert

	keep     int    // how many bytes of unencrypted handshake messages to keep
	messages []byte // the first of these bytes
}

const (
	recordAlert        = 21
	recordHandshake    = 22
	messageCertificate = 11
)

// scan scans b, which continues what it has scanned before.
func (r *clearRecords) scan(b []byte) {
	for len(b) > 0 {
		if r.headLen < len(r.head) {
			n := copy(r.head[r.headLen:], b)
			r.headLen, b = r.headLen+n, b[n:]
			if r.headLen == len(r.head) {
				r.remaining, r.bodyLen = int(r.head[3])<<8|int(r.head[4]), 0
				if r.head[0] != recordAlert || r.remaining != len(r.body) {
					r.alerted = false // the handshake went on after the last one
				}
				r.ended()
			}
			continue
		}
		n := min(r.remaining, len(b))
		r.content(b[:n])
		r.remaining, b = r.remaining-n, b[n:]
		r.ended()
	}
}

// content scans a part of a record's content.
func (r *clearRecords) content(b []byte) {
	switch {
	case r.head[0] == recordAlert:
		n := copy(r.body[r.bodyLen:], b)
		if r.bodyLen += n; r.bodyLen == 2 && r.remaining == 2-(r.bodyLen-n) {
			r.alerted, r.alert = true, alert(r.body[1])
		}
	case r.head[0] == recordHandshake && len(r.messages) < r.keep:
		// Memory grows with what arrives, not with what the peer announces.
		r.messages = append(r.messages, b[:min(len(b), r.keep-len(r.messages))]...)
	}
}

// ended starts the next record if this one is complete.
func (r *clearRecords) ended() {
	if r.remaining == 0 {
		r.headLen = 0
	}
}

// helloDone records that crypto/tls has parsed the ClientHello. From now on everything is
// kept, because unencrypted certificates may follow.
func (r *clearRecords) helloDone() { r.keep, r.messages = maxFlight, nil }

// certificates returns the certificates that the peer sent unencrypted, in DER form (RFC
// 5246 §7.4.2): none in TLS 1.3, and none if the message is incomplete.
func (r *clearRecords) certificates() (list [][]byte) {
	rest := r.messages
	for len(rest) > 0 {
		kind := rest[0]
		message, after, ok := cutLength(rest[1:])
		if !ok {
			return nil
		}
		if rest = after; kind != messageCertificate {
			continue
		}
		all, _, ok := cutLength(message)
		for ok && len(all) > 0 {
			var one []byte
			if one, all, ok = cutLength(all); ok {
				list = append(list, one)
			}
		}
		return list
	}
	return nil
}

// cutLength splits b after a part that is preceded by its length in three bytes.
func cutLength(b []byte) (part, rest []byte, ok bool) {
	if len(b) < 3 {
		return nil, nil, false
	}
	n := int(b[0])<<16 | int(b[1])<<8 | int(b[2])
	if b = b[3:]; len(b) < n {
		return nil, nil, false
	}
	return b[:n], b[n:], true
}
