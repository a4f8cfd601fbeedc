package wire

import (
	"crypto/md5"
	"crypto/subtle"
	"errors"
	"log/slog"
	"slices"

	"radsec-gw/wire/lanes"
)

// ServerID is an Identifier on the leg to a server, a type of its own so that it cannot
// be confused with a client's.
type ServerID byte

// ErrEmptySecret is returned for an empty shared secret (RFC 2865 §3).
var ErrEmptySecret = errors.New("shared secret: expected at least one octet, got none")

// ClientSecret is the secret shared with a client, which sends requests, prepared
// for signing. It is immutable and may be shared by goroutines.
type ClientSecret struct{ secret }

// ServerSecret is the secret shared with a server, which sends replies,
// prepared for signing. It is immutable and may be shared by goroutines.
type ServerSecret struct{ secret }

// NewClientSecret prepares a copy of key, ErrEmptySecret when it is empty.
func NewClientSecret(key []byte) (*ClientSecret, error) {
	if len(key) == 0 {
		return nil, ErrEmptySecret
	}
	return &ClientSecret{prepare(key)}, nil
}

// NewServerSecret prepares a copy of key, ErrEmptySecret when it is empty.
func NewServerSecret(key []byte) (*ServerSecret, error) {
	if len(key) == 0 {
		return nil, ErrEmptySecret
	}
	return &ServerSecret{prepare(key)}, nil
}

// secret is a key and the two MD5 states that begin an HMAC under it
// (RFC 2104 §4): restoring a state costs a copy, where hashing the padded key
// costs a block each.
type secret struct {
	key   []byte
	inner *lanes.State // after key XOR ipad
	outer *lanes.State // after key XOR opad
}

func prepare(key []byte) secret {
	var block [md5.BlockSize]byte
	if len(key) > md5.BlockSize {
		sum := md5.Sum(key)
		copy(block[:], sum[:])
	} else {
		copy(block[:], key)
	}
	return secret{key: slices.Clone(key), inner: stateAfter(block, 0x36), outer: stateAfter(block, 0x5c)}
}

// stateAfter returns the MD5 state after one block, each octet XOR pad.
func stateAfter(block [md5.BlockSize]byte, pad byte) *lanes.State {
	for i := range block {
		block[i] ^= pad
	}
	return lanes.Initial().Take(&block)
}

const redacted = "[secret]"

// String hides the key from %v and %s.
func (secret) String() string { return redacted }

// GoString hides the key from %#v.
func (secret) GoString() string { return redacted }

// LogValue hides the key from log/slog.
func (secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// Equal reports whether two secrets are the same. Either may be nil.
func (s *ServerSecret) Equal(other *ServerSecret) bool {
	if s == nil || other == nil {
		return s == other
	}
	return subtle.ConstantTimeCompare(s.key, other.key) == 1
}
