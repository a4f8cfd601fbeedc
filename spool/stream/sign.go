package stream

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"time"
)

// Whoever may publish to the subjects of a stream could otherwise have the processes believe what
// he likes: so values and messages about removals are signed with a key that is derived from the
// secret of the bucket, and what does not verify is nobody's.
//
// Rules: GW6.

// tagLength is the length in octets of what is appended.
const tagLength = 16

// signer signs what is published.
type signer struct{ key []byte }

// newSigner returns the signer of one kind of messages of the stream that was created at a time: what
// was signed for an earlier one of its name, whose numbers began at the same, does not verify.
func newSigner(secret []byte, kind string, created time.Time) (signer, error) {
	key, err := hkdf.Key(sha256.New, secret, nil, fmt.Sprintf("radsec-gw spool %s %d", kind, created.UnixNano()), sha256.Size)
	return signer{key}, err
}

// sign returns data with its tag.
func (s signer) sign(data []byte) []byte {
	return append(append(make([]byte, 0, len(data)+tagLength), data...), s.tag(data)...)
}

// verify returns data without its tag; false if it does not verify.
func (s signer) verify(b []byte) ([]byte, bool) {
	if len(b) < tagLength {
		return nil, false
	}
	data, tag := b[:len(b)-tagLength], b[len(b)-tagLength:]
	if !hmac.Equal(tag, s.tag(data)) {
		return nil, false
	}
	return data, true
}

func (s signer) tag(data []byte) []byte {
	h := hmac.New(sha256.New, s.key)
	h.Write(data)
	return h.Sum(nil)[:tagLength]
}
