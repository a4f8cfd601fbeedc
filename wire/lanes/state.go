package lanes

import (
	"crypto/md5"
	"encoding"
	"encoding/binary"
	"hash"
)

// State is the state of an MD5 computation between two blocks (RFC 1321 §3.3): four
// words, and how many octets have been hashed. The zero State is not
// valid: begin with Initial.
type State struct {
	words  [4]uint32
	octets uint64 // a multiple of md5.BlockSize
}

// Initial returns the State before the first octet.
func Initial() *State {
	return &State{words: [4]uint32{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476}}
}

// Take returns the State after one more block. It is for preparing a State that
// many messages begin with, and allocates.
func (s *State) Take(block *[md5.BlockSize]byte) *State {
	digest := newDigest()
	s.restore(digest, make([]byte, 0, encodedLength))
	digest.Write(block[:])
	b, err := digest.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		panic("crypto/md5 cannot encode its state: " + err.Error())
	}
	after := &State{octets: s.octets + md5.BlockSize}
	for i := range after.words {
		after.words[i] = binary.BigEndian.Uint32(b[len(encodedMagic)+4*i:])
	}
	return after
}

// digest is what crypto/md5 hands out: a hash whose state can be restored.
type digest interface {
	hash.Hash
	encoding.BinaryUnmarshaler
}

func newDigest() digest { return md5.New().(digest) }

// What crypto/md5 encodes its state as: a magic, the words, the octets of a
// block that is not whole yet, none here, and the count, all big endian.
const (
	encodedMagic  = "md5\x01"
	encodedLength = len(encodedMagic) + md5.Size + md5.BlockSize + 8
)

// restore sets a digest of crypto/md5 to s. scratch has space for encodedLength
// octets.
func (s *State) restore(d digest, scratch []byte) {
	b := append(scratch[:0], encodedMagic...)
	for _, w := range s.words {
		b = binary.BigEndian.AppendUint32(b, w)
	}
	b = append(b, make([]byte, md5.BlockSize)...)
	b = binary.BigEndian.AppendUint64(b, s.octets)
	if err := d.UnmarshalBinary(b); err != nil {
		panic("crypto/md5 refuses its own state: " + err.Error())
	}
}
