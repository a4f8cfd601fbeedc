package faults

import (
	"bytes"
	"crypto/md5"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
)

// Numbers of attributes, and of vendors (RFC 2865 §5.26).
const (
	userPasswordNumber   = 2
	replyMessageNumber   = 18
	classNumber          = 25
	vendorSpecificNumber = 26
	nasIdentifierNumber  = 32
	eventTimestampNumber = 55
	errorCauseNumber     = 101
	operatorNameNumber   = 126
	extendedNumber       = 241

	cisco     = 9
	microsoft = 311
	wimax     = 24757
	ubiquiti  = 41112
)

func textAttribute(number byte, text string) []byte { return attribute(number, []byte(text)) }

func integerAttribute(number byte, value uint32) []byte {
	return attribute(number, binary.BigEndian.AppendUint32(nil, value))
}

// vendorSpecific is a Vendor-Specific with the octets inside.
func vendorSpecific(vendor uint32, inside ...[]byte) []byte {
	return attribute(vendorSpecificNumber, append(binary.BigEndian.AppendUint32(nil, vendor), bytes.Join(inside, nil)...))
}

// body is the octets of a packet's attributes without Message-Authenticator and Proxy-State.
func body(packet []byte) (octets []byte) {
	for rest := packet[20:]; len(rest) >= 2 && rest[1] >= 2 && int(rest[1]) <= len(rest); rest = rest[rest[1]:] {
		if rest[0] != 80 && rest[0] != 33 {
			octets = append(octets, rest[:rest[1]]...)
		}
	}
	return octets
}

// expect fails the test unless a packet has the code and just the attributes.
func expect(t *testing.T, packet []byte, code byte, attributes ...[]byte) {
	t.Helper()
	if want := bytes.Join(attributes, nil); packet[0] != code || !bytes.Equal(body(packet), want) {
		t.Errorf("expected code %d with the attributes [% x], got code %d with [% x]", code, want, packet[0], body(packet))
	}
}

// expectCause fails the test unless a packet has the code and the Error-Cause.
func expectCause(t *testing.T, packet []byte, code byte, cause uint32) {
	t.Helper()
	if packet[0] != code || errorCause(packet) != cause {
		t.Errorf("expected code %d with Error-Cause %d, got code %d with %d", code, cause, packet[0], errorCause(packet))
	}
}

// firstRequest is the first that a server got, and fails the test when there is none.
func (s *server) firstRequest(t *testing.T) []byte {
	t.Helper()
	all := s.requests()
	if len(all) == 0 {
		t.Fatal("the server got no request")
	}
	return all[0]
}

// hop is what values in the reply to a request are hidden by, between two neighbors.
type hop struct {
	secret        string
	authenticator []byte // of the request
}

func fromServer(request []byte) hop { return hop{udpSecret, request[4:20]} }

func toClient(request []byte) hop { return hop{radsecSecret, request[4:20]} }

// hide hides a key under a salt (RFC 2548 §2.4.2): its length, itself and zeros make blocks,
// each of which is XORed with a digest of the secret and the hidden block before.
func hide(key string, salt [2]byte, by hop) []byte {
	blocks := append([]byte{byte(len(key))}, key...)
	blocks = append(blocks, make([]byte, -len(blocks)&15)...)
	hidden := salt[:]
	before := append(bytes.Clone(by.authenticator), salt[:]...)
	for block := range slices.Chunk(blocks, md5.Size) {
		digest := md5.Sum(append([]byte(by.secret), before...))
		subtle.XORBytes(block, block, digest[:])
		hidden, before = append(hidden, block...), block
	}
	return hidden
}

// hides reports whether a hidden value is the key.
func hides(value []byte, key string, by hop) bool {
	return len(value) >= 2 && bytes.Equal(value, hide(key, [2]byte(value), by))
}

// quickly are keys of a [[server]] that give a request up after a second.
const quickly = `
retransmit_initial = "200ms"
retransmit_max = "400ms"
retransmit_duration = "1s"
`

// table is the server's [[server]] table, for a test with several.
func (s *server) table(name, keys string) string {
	return fmt.Sprintf("[[server]]\nname = %q\naddress = \"127.0.0.1\"\nauth_port = %d\nacct_port = %[2]d\ncoa_port = %[2]d\nsecret = %q\nhealth = \"none\"\n%s\n",
		name, s.port(), udpSecret, keys)
}
