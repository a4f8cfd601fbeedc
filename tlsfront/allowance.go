package tlsfront

import "fmt"

// Limits on what a peer may send in a handshake. crypto/tls accepts 64 kB of any message
// and 256 kB of certificates, and parses them before they can be checked; 20 kB of
// malicious certificates cost 0.7 ms, twice as much as the rest of the handshake.
const (
	// maxHello is how much may arrive before our first answer: a ClientHello of 2 kB, and
	// a session ticket, which contains all of the client's certificates.
	maxHello = 32 << 10
	// maxFlight is how much may arrive between two of our answers: the certificates and
	// the proof of possession. Ten certificates with keys of 4096 bits are 20 kB, as is
	// one with a thousand names; a usual chain is 2 to 6 kB.
	maxFlight = 20 << 10
	// spareParts and partSize bound the number of parts, which are system calls and TLS
	// records: each costs a wakeup or a decryption. The smallest IPv4 packets hold 536
	// bytes, the smallest records 512 (RFC 6066 §4).
	spareParts = 100
	partSize   = 256
)

// excess is the error that a peer sent more than its allowance.
type excess string

func (e excess) Error() string { return string(e) }

// allowance counts what a handshake has read. The zero value is for a new handshake. It
// is owned by the handshake's goroutine.
type allowance struct {
	exceeded bool // the limit was reached
	answered bool // something was sent to the peer
	bytes    int  // since the last answer
	total    int  // bytes of the whole handshake
	reads    int  // system calls
	records  int  // of TLS
}

// remaining returns how many bytes may be read next, or an error if a limit is reached.
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
