package gateway

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"encoding/binary"
)

// tlv is one attribute as octets.
func tlv(t byte, value ...byte) []byte { return append([]byte{t, byte(2 + len(value))}, value...) }

// nameOf is a User-Name as octets.
func nameOf(user string) []byte { return tlv(1, []byte(user)...) }

// emptyMAC is a Message-Authenticator that rawRequest fills in. One of another length is
// filled as far as it goes.
var emptyMAC = tlv(80, make([]byte, 16)...)

// rawRequest makes a request with the attributes, signed with the secret "radsec" as its code
// requires.
func rawRequest(code, id byte, attrs ...[]byte) []byte {
	b := append([]byte{code, id, 0, 0}, make([]byte, 16)...)
	random := code == 1 || code == 12
	if random {
		rand.Read(b[4:20])
	}
	b = append(b, bytes.Join(attrs, nil)...)
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	mac := hmac.New(md5.New, []byte("radsec"))
	mac.Write(b)
	sum := mac.Sum(nil)
	for i := 20; i+1 < len(b) && b[i+1] >= 2 && i+int(b[i+1]) <= len(b); i += int(b[i+1]) {
		if b[i] == 80 {
			copy(b[i+2:i+int(b[i+1])], sum)
		}
	}
	if !random {
		digest := md5.Sum(append(bytes.Clone(b), "radsec"...))
		copy(b[4:20], digest[:])
	}
	return b
}

// flip changes one octet of a packet.
func flip(at int, b []byte) []byte {
	b[at] ^= 0x20
	return b
}

// withLength writes another Length into a packet.
func withLength(n int, b []byte) []byte {
	binary.BigEndian.PutUint16(b[2:], uint16(n))
	return b
}

// rawRequest11 makes a request of RADIUS/1.1.
func rawRequest11(code byte, token uint32, attrs ...[]byte) []byte {
	head := make([]byte, 20)
	binary.BigEndian.PutUint32(head[4:], token)
	return reply11(head, code, attrs...)
}

// reply11 makes a reply of RADIUS/1.1 to q.
func reply11(q []byte, code byte, attributes ...[]byte) []byte {
	b := append([]byte{code, 0, 0, 0}, q[4:8]...)
	b = append(b, make([]byte, 12)...)
	b = append(b, bytes.Join(attributes, nil)...)
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	return b
}
