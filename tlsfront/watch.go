package tlsfront

// maxWatched is how much of a ClientHello is kept, for the case that crypto/tls
// refuses it without saying why: it holds the extensions of any usual one.
const maxWatched = 4 << 10

// watch follows the TLS records of a handshake as they come from the peer, to
// know what crypto/tls does not tell: alerts in clear, and a ClientHello that it
// cannot parse. Its zero value is ready for use; it is owned by the goroutine of
// the handshake.
type watch struct {
	head [5]byte // of the record: type, version, length (RFC 8446 §5.1)
	have int     // octets in head
	left int     // octets of the content still to come
	body [2]byte // of a record that may be an alert
	got  int     // octets in body

	alerted bool  // an alert in clear has come
	alert   alert // the last one

	keep  bool   // hello is wanted
	hello []byte // what has come of the first handshake messages, while keep is set
}

const (
	recordAlert     = 21
	recordHandshake = 22
)

// see follows b.
func (w *watch) see(b []byte) {
	for len(b) > 0 {
		if w.have < len(w.head) {
			n := copy(w.head[w.have:], b)
			w.have, b = w.have+n, b[n:]
			if w.have == len(w.head) {
				w.left, w.got = int(w.head[3])<<8|int(w.head[4]), 0
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
	case w.head[0] == recordHandshake && w.keep:
		if w.hello == nil {
			w.hello = make([]byte, 0, min(w.left, maxWatched)) // most often all of it
		}
		w.hello = append(w.hello, b[:min(len(b), maxWatched-len(w.hello))]...)
	}
}

// ended begins the next record if this one has ended.
func (w *watch) ended() {
	if w.left == 0 {
		w.have = 0
	}
}
