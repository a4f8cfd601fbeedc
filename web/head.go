package web

import (
	"bytes"
	"encoding/binary"
)

// headSize is how much of the head of the first request is read before net/http reads it.
// A longer one counts as whole.
const headSize = 1024 // bytes

// recordHandshake is the first octet of a connection with TLS: the type of a record (RFC 8446
// §5.1).
const recordHandshake = 22

// readHead reads from a silent connection until its head is whole, and reports whether it is.
// A connection that does not send that much is as good as one that sends nothing: neither
// may have a place inside.
func (c *conn) readHead() bool {
	var first [1]byte // those that send nothing need no more
	n, _ := c.Conn.Read(first[:])
	if n == 0 {
		return false
	}
	head := append(make([]byte, 0, headSize), first[0])
	for !isWhole(head) {
		n, err := c.Conn.Read(head[len(head):cap(head)])
		head = head[:len(head)+n]
		if err != nil && !isWhole(head) {
			c.first = head
			return false
		}
	}
	c.whole.Store(true)
	c.first = head
	return true
}

// isWhole reports whether b has the whole head of a request, up to the empty line, or the whole
// first record of TLS, which has the ClientHello. What is neither, or is longer
// than headSize, counts as whole: net/http refuses it, or reads the rest.
func isWhole(b []byte) bool {
	const recordHeader = 5 // octets
	switch {
	case len(b) >= headSize:
		return true
	case len(b) == 0:
		return false
	case b[0] == recordHandshake:
		return len(b) >= recordHeader && len(b) >= recordHeader+int(binary.BigEndian.Uint16(b[3:]))
	}
	return bytes.Contains(b, []byte("\n\r\n")) || bytes.Contains(b, []byte("\n\n"))
}
