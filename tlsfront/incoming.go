package tlsfront

import (
	"math"
	"net"
)

// incoming is the side of a connection that crypto/tls reads from.
//
// During the handshake it reads through. Afterwards it never waits: the session reads
// from the socket when octets have arrived, passes them to feed, and then calls
// crypto/tls, which reads them from here. When they are used up crypto/tls gets
// errNoRecord; that error is temporary, so crypto/tls keeps an incomplete record and
// continues it at the next call. So an idle connection holds no buffer of ours, and the
// read loop knows without waiting when the connection is drained.
//
// All of it is owned by the goroutine that does the handshake, then by the
// read loop.
type incoming struct {
	established bool
	ahead       []byte // read before the handshake, to be read again in it
	allowance   allowance
	clear       clearRecords // of the handshake's records
	unread      []byte       // of what feed got: not read by crypto/tls yet
	borders     recordBorders
	// whole counts the complete records that have arrived and that crypto/tls has not
	// returned yet. It may have handled one itself (a KeyUpdate), so there may be fewer;
	// there are never more.
	whole int
}

// errNoRecord is the error for crypto/tls when nothing has arrived.
type errNoRecord struct{}

func (errNoRecord) Error() string   { return "tlsfront: no TLS record is waiting" }
func (errNoRecord) Timeout() bool   { return false }
func (errNoRecord) Temporary() bool { return true }

// readThrough reads for the handshake, within its allowance.
func (in *incoming) readThrough(c net.Conn, b []byte) (int, error) {
	var n int
	var err error
	if len(in.ahead) > 0 {
		n = copy(b, in.ahead)
		if in.ahead = in.ahead[n:]; len(in.ahead) == 0 {
			in.ahead = nil
		}
	} else {
		most, excess := in.allowance.remaining()
		if excess != nil {
			return 0, excess
		}
		n, err = c.Read(b[:min(len(b), most)])
		in.allowance.reads++
	}
	in.allowance.bytes += n
	in.allowance.total += n
	in.allowance.records += in.borders.scan(b[:n])
	in.clear.scan(b[:n])
	return n, err
}

// answered records that something is sent to the peer during the handshake.
func (in *incoming) answered() {
	in.allowance.bytes, in.allowance.answered = 0, true
}

// establish ends the handshake. crypto/tls may have read beyond it by an unknown amount:
// it is asked for records until it has none.
func (in *incoming) establish() {
	in.established = true
	in.clear = clearRecords{}
	in.whole = math.MaxInt32
}

// feed makes b, freshly read from the socket, available. b must stay untouched
// until drained.
func (in *incoming) feed(b []byte) {
	in.unread = b
	in.whole += in.borders.scan(b)
}

// more reports whether crypto/tls has something to do: a complete record to return, or
// octets to read.
func (in *incoming) more() bool { return in.whole > 0 || len(in.unread) > 0 }

// returned records that crypto/tls has returned the content of one record.
func (in *incoming) returned() {
	if in.whole > 0 {
		in.whole--
	}
}

// read is what crypto/tls calls after the handshake.
func (in *incoming) read(b []byte) (int, error) {
	if len(in.unread) == 0 {
		in.whole = 0
		return 0, errNoRecord{}
	}
	n := copy(b, in.unread)
	in.unread = in.unread[n:]
	return n, nil
}

// recordBorders follows the TLS records in a stream: type, two octets of
// version, two of length, content (RFC 8446 §5.1).
type recordBorders struct {
	head      int // octets of the header seen: 0..5
	remaining int // octets of the content still to come; its length while head is 3 or 4
}

// scan follows b and returns how many records end in it.
func (r *recordBorders) scan(b []byte) (ends int) {
	for {
		for r.head < 5 {
			if len(b) == 0 {
				return ends
			}
			if r.head >= 3 {
				r.remaining = r.remaining<<8 | int(b[0])
			}
			r.head++
			b = b[1:]
		}
		n := min(r.remaining, len(b))
		r.remaining -= n
		b = b[n:]
		if r.remaining > 0 {
			return ends
		}
		r.head = 0
		ends++
	}
}

// within reports whether a record has begun and not ended.
func (r *recordBorders) within() bool { return r.head > 0 }
