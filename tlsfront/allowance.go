package tlsfront

import "fmt"

// What a peer may send in a handshake. crypto/tls takes 64 kB of any message
// and 256 kB of certificates, and parses them before anybody can look; 20 kB of
// certificates that are made for it cost 0.7 ms, twice as much as all the rest.
const (
	// maxHello is what may come before our first answer: a ClientHello of 2 kB,
	// with a session ticket, which holds all of the client's certificates.
	maxHello = 32 << 10
	// maxFlight is what may come between two of our answers: the certificates and
	// what proves them. Ten certificates with keys of 4096 bits are 20 kB, as is
	// one of a thousand names; a usual chain is 2 to 6 kB.
	maxFlight = 20 << 10
	// spareParts and partSize bound the parts that all of it may come in, system
	// calls and TLS records: for each we are woken up, or decrypt something. The
	// smallest IPv4 packets hold 536 bytes, the smallest records 512 (RFC 6066 §4).
	spareParts = 100
	partSize   = 256
)

// excess is that a peer sent more than its allowance.
type excess string

func (e excess) Error() string { return string(e) }

// allowance is what a handshake has read. The zero value is that of one that
// begins. It is owned by the goroutine of the handshake.
type allowance struct {
	exceeded bool // more was asked for than may be sent
	answered bool // something has gone to the peer
	bytes    int  // since then
	total    int  // bytes, of all of the handshake
	reads    int  // system calls
	records  int  // of TLS
}

// remaining returns how much more may be read at a time, or what is excessive.
func (a *allowance) remaining() (int, error) {
	most := maxFlight
	if !a.answered {
		most = maxHello
	}
	parts := spareParts + a.total/partSize
	switch {
	case a.bytes >= most && a.answered:
		return 0, a.exceed("the peer sent more than %d bytes after our answer; expected its certificate and its intermediates, not a whole list of CAs", most)
	case a.bytes >= most:
		return 0, a.exceed("the peer sent more than %d bytes; expected a ClientHello", most)
	case a.reads > parts, a.records > parts:
		return 0, a.exceed("the peer sent %d bytes in %d parts and %d TLS records; expected at most %d of either", a.total, a.reads, a.records, parts)
	}
	return most - a.bytes, nil
}

func (a *allowance) exceed(format string, args ...any) error {
	a.exceeded = true
	return excess(fmt.Sprintf(format, args...))
}
