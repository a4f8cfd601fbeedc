package tlsfront

// maxWatched is how much of a ClientHello is kept, for the case that crypto/tls
// refuses it without saying why: it holds the extensions of any usual one. Of what
// comes after it everything that may come is kept.
const maxWatched = 4 << 10

// watch follows the TLS records of a handshake as they come from the peer, to
// know what crypto/tls does not tell: alerts in clear, a ClientHello that it
// cannot parse, and in TLS 1.2 certificates that it cannot parse. Its zero value is
// ready for use; it is owned by the goroutine of the handshake.
type watch struct {
	head [5]byte // of the record: type, version, length (RFC 8446 §5.1)
	have int     // octets in head
	left int     // octets of the content still to come
	body [2]byte // of a record that may be an alert
	got  int     // octets in body

	alerted bool  // an alert in clear has come, and nothing else after it
	alert   alert // the last one

	keep     int    // how many bytes of the handshake messages in clear are wanted
	messages []byte // the first of them
}

const (
	recordAlert        = 21
	recordHandshake    = 22
	messageCertificate = 11
)

// see follows b.
func (w *watch) see(b []byte) {
	for len(b) > 0 {
		if w.have < len(w.head) {
			n := copy(w.head[w.have:], b)
			w.have, b = w.have+n, b[n:]
			if w.have == len(w.head) {
				w.left, w.got = int(w.head[3])<<8|int(w.head[4]), 0
				if w.head[0] != recordAlert || w.left != len(w.body) {
					w.alerted = false // the handshake went on after the last one
				}
				w.ended()
			}
			continue
		}
		n := min(w.left, len(b))
		w.content(b[:n])
		w.left, b = w.left-n, b[n:]
		w.ended()
	}
}

// content takes a part of a record's content.
func (w *watch) content(b []byte) {
	switch {
	case w.head[0] == recordAlert:
		n := copy(w.body[w.got:], b)
		if w.got += n; w.got == 2 && w.left == 2-(w.got-n) {
			w.alerted, w.alert = true, alert(w.body[1])
		}
	case w.head[0] == recordHandshake && len(w.messages) < w.keep:
		// It grows with what comes: what a peer announces costs it nothing.
		w.messages = append(w.messages, b[:min(len(b), w.keep-len(w.messages))]...)
	}
}

// ended begins the next record if this one has ended.
func (w *watch) ended() {
	if w.left == 0 {
		w.have = 0
	}
}

// helloDone says that the ClientHello is parsed, and that the certificates are to be
// kept that may come in clear.
func (w *watch) helloDone() { w.keep, w.messages = maxFlight, nil }

// certificates returns the certificates that the peer has sent in clear, in DER form
// (RFC 5246 §7.4.2): none in TLS 1.3, and none unless the whole message has come.
func (w *watch) certificates() (list [][]byte) {
	rest := w.messages
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

// cutLength cuts off what begins with its length in three bytes.
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
