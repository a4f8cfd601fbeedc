// Package packets makes the requests that the load generator sends and verifies
// the replies. It shares no code with the gateway, so that both cannot be wrong in the same way.
package packets

import (
	"encoding/binary"
	"fmt"

	"layeh.com/radius"
)

// Kind is one sort of request.
type Kind uint8

const (
	// EAP is an Access-Request in the middle of an EAP-TLS conversation: State
	// and four EAP-Message attributes of 253 octets.
	EAP Kind = iota
	// PAP is an Access-Request with a hidden User-Password.
	PAP
	// Acct is an Accounting-Request with a dozen ordinary attributes.
	Acct
	numKinds
)

// Mix is the order in which a connection sends kinds, over and over.
type Mix []Kind

// ParseMix reads "pap", "eap", "acct" or "mixed" (half EAP, a quarter PAP, a
// quarter accounting).
func ParseMix(s string) (Mix, error) {
	switch s {
	case "eap":
		return Mix{EAP}, nil
	case "pap":
		return Mix{PAP}, nil
	case "acct":
		return Mix{Acct}, nil
	case "mixed":
		return Mix{EAP, PAP, EAP, Acct}, nil
	}
	return nil, fmt.Errorf("mix %q: expected pap, eap, acct or mixed", s)
}

// UserName is what every request carries, so that a route can be made for its
// realm.
const UserName = "alice@bench.example"

// Password is what PAP requests hide: 16 octets, one MD5 block.
const Password = "correct horse ba"

const (
	typeMessageAuthenticator = 80
	typeUserPassword         = 2
	typeAcctSessionID        = 44
	headerLength             = 20
	// MaxLength is the longest RADIUS packet (RFC 2865 §3).
	MaxLength = 4096
)

// template is a request but for its identifier, authenticator and signature.
type template struct {
	packet []byte
	// offsets of values inside packet; 0 when there is none
	mac, password, counter int
}

// builder appends attributes and remembers where the changing ones are.
type builder struct{ t template }

func newBuilder(code radius.Code) *builder {
	p := make([]byte, headerLength, MaxLength)
	p[0] = byte(code)
	return &builder{template{packet: p}}
}

func (b *builder) add(typ byte, value []byte) *builder {
	at := len(b.t.packet) + 2
	switch typ {
	case typeMessageAuthenticator:
		b.t.mac = at
	case typeUserPassword:
		b.t.password = at
	case typeAcctSessionID:
		b.t.counter = at
	}
	b.t.packet = append(append(b.t.packet, typ, byte(len(value)+2)), value...)
	return b
}

func (b *builder) text(typ byte, s string) *builder { return b.add(typ, []byte(s)) }

func (b *builder) number(typ byte, n uint32) *builder {
	return b.add(typ, binary.BigEndian.AppendUint32(nil, n))
}

func (b *builder) done() template {
	binary.BigEndian.PutUint16(b.t.packet[2:], uint16(len(b.t.packet)))
	return b.t
}

// nas appends what an access point says of itself and of the station.
func (b *builder) nas() *builder {
	return b.add(4, []byte{192, 0, 2, 7}). // NAS-IP-Address
						text(32, "ap-07.bench.example").       // NAS-Identifier
						number(5, 7).                          // NAS-Port
						number(61, 19).                        // NAS-Port-Type: Wireless-802.11
						text(30, "02-00-00-00-00-07:bench").   // Called-Station-Id
						text(31, "02-00-5E-00-53-01").         // Calling-Station-Id
						number(12, 1400).                      // Framed-MTU
						text(77, "CONNECT 54Mbps 802.11a-ish") // Connect-Info
}

func templates() [numKinds]template {
	var all [numKinds]template
	mac := make([]byte, 16)

	eap := newBuilder(radius.CodeAccessRequest).add(typeMessageAuthenticator, mac).
		text(1, UserName).nas().text(24, "state-of-16-octs")
	// One EAP-Response of four full attributes: 4 × 253 = 1012 octets (RFC 3579 §3.1).
	message := make([]byte, 4*253)
	message[0], message[1], message[4] = 2, 17, 13 // Response, identifier, EAP-TLS
	binary.BigEndian.PutUint16(message[2:], uint16(len(message)))
	for i := 5; i < len(message); i++ {
		message[i] = byte(i * 7)
	}
	for i := 0; i < len(message); i += 253 {
		eap.add(79, message[i:i+253])
	}
	all[EAP] = eap.done()

	all[PAP] = newBuilder(radius.CodeAccessRequest).add(typeMessageAuthenticator, mac).
		text(1, UserName).add(typeUserPassword, make([]byte, 16)).nas().done()

	all[Acct] = newBuilder(radius.CodeAccountingRequest).
		text(1, UserName).nas().
		number(40, 3). // Acct-Status-Type: Interim-Update
		text(typeAcctSessionID, "0123456789abcdef").
		number(46, 3600).                    // Acct-Session-Time
		number(42, 123456).                  // Acct-Input-Octets
		number(43, 654321).                  // Acct-Output-Octets
		number(55, 1700000000).              // Event-Timestamp
		add(8, []byte{192, 0, 2, 99}).done() // Framed-IP-Address
	return all
}
