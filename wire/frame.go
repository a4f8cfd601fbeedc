package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The Length field's limits in octets (RFC 2865 §3). MinLength is also the
// size of the header: Code, Identifier, Length and Authenticator.
const (
	MinLength = 20
	MaxLength = 4096
)

// The errors in a packet's framing. After either the sender's connection is closed (RFC
// 6613 §2.6.4). errors.Is finds them in what Cut and Parse return.
var (
	ErrLength     = errors.New("packet length")
	ErrAttributes = errors.New("attribute framing")
)

// LengthError describes the ErrLength of one packet.
type LengthError struct {
	Length int // value of the Length field, -1 when there is no whole header
	Octets int // length of the packet's buffer; 0 when it does not matter
}

func (e *LengthError) Error() string {
	if e.Length >= MinLength && e.Length <= MaxLength {
		return fmt.Sprintf("packet length: the Length field says %d octets, the packet has %d", e.Length, e.Octets)
	}
	return fmt.Sprintf("packet length: expected %d to %d octets in the Length field, got %d", MinLength, MaxLength, e.Length)
}

// Is makes the error an ErrLength.
func (e *LengthError) Is(target error) bool { return target == ErrLength }

// AttributeError describes the ErrAttributes of one packet: the first attribute that
// does not fit.
type AttributeError struct {
	Offset    int  // where the attribute starts, in octets from the start of the packet
	Type      byte // its type
	Length    int  // its length octet, -1 when the packet ends before it
	Available int  // octets from Offset to the end of the packet
}

func (e *AttributeError) Error() string {
	if e.Length < 0 {
		return fmt.Sprintf("attribute framing: attribute %d at octet %d ends before its length octet", e.Type, e.Offset)
	}
	return fmt.Sprintf("attribute framing: attribute %d at octet %d has length %d, expected 2 to %d", e.Type, e.Offset, e.Length, e.Available)
}

// Is makes the error an ErrAttributes.
func (e *AttributeError) Is(target error) bool { return target == ErrAttributes }

// Cut returns the length in octets of the first packet in b, or 0 when b does
// not hold all of it yet. Where packets begin in a stream follows from the Length
// field alone, wherever TLS records or segments end (RFC 6614 §3.4). The error is an
// ErrLength: after a wrong length the next packet cannot be found.
func Cut(b []byte) (n int, err error) {
	if len(b) < 4 {
		return 0, nil
	}
	n = int(binary.BigEndian.Uint16(b[2:4]))
	if n < MinLength || n > MaxLength {
		return 0, &LengthError{Length: n}
	}
	if len(b) < n {
		return 0, nil
	}
	return n, nil
}
