package record

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"fmt"
	"hash"

	"golang.org/x/crypto/chacha20poly1305"
)

// ECDHEPSKWithChaCha20Poly1305 is a suite for a PSK (RFC 7905 §3), which crypto/tls does not
// have.
const ECDHEPSKWithChaCha20Poly1305 = 0xccac

// SuiteName returns the name of a cipher suite, as crypto/tls prints it.
func SuiteName(id uint16) string {
	if id == ECDHEPSKWithChaCha20Poly1305 {
		return "TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256"
	}
	return tls.CipherSuiteName(id)
}

// suite is what a cipher suite means for records and keys.
type suite struct {
	hash     func() hash.Hash // of the PRF
	key      int              // size
	iv       int              // size of the part of the nonce that is not sent
	explicit bool             // 8 octets of the nonce are sent with each record (RFC 5288 §3)
	aead     func(key []byte) (cipher.AEAD, error)
}

func suiteFor(id uint16) (s suite, err error) {
	switch id {
	case tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256:
		return suite{hash: sha256.New, key: 16, iv: 4, explicit: true, aead: newGCM}, nil
	case tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384:
		return suite{hash: sha512.New384, key: 32, iv: 4, explicit: true, aead: newGCM}, nil
	case tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, ECDHEPSKWithChaCha20Poly1305:
		return suite{hash: sha256.New, key: 32, iv: 12, aead: chacha20poly1305.New}, nil
	}
	return suite{}, fmt.Errorf("the cipher suite %#04x is not supported", id)
}

func newGCM(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// Secrets are what a handshake results in.
type Secrets struct {
	Suite        uint16
	Master       []byte
	ClientRandom [32]byte
	ServerRandom [32]byte
}

// Derive returns the protection of the records that the client writes, and of those that the
// server writes, each as an Opener for its reader and a Sealer for its writer. cid is the
// Connection ID that the reader has asked for; nil: none.
func (s *Secrets) Derive() (client, server Keys, err error) {
	of, err := suiteFor(s.Suite)
	if err != nil {
		return Keys{}, Keys{}, err
	}
	block := expand(of.hash, s.Master, "key expansion", 2*(of.key+of.iv), s.ServerRandom[:], s.ClientRandom[:])
	next := func(n int) (b []byte) {
		b, block = block[:n:n], block[n:]
		return b
	}
	client, server = Keys{suite: of}, Keys{suite: of}
	if client.aead, err = of.aead(next(of.key)); err != nil {
		return Keys{}, Keys{}, err
	}
	if server.aead, err = of.aead(next(of.key)); err != nil {
		return Keys{}, Keys{}, err
	}
	copy(client.iv[:], next(of.iv))
	copy(server.iv[:], next(of.iv))
	return client, server, nil
}

// Keys protect the records of one direction.
type Keys struct {
	suite suite
	aead  cipher.AEAD
	iv    [12]byte // the part of the nonce that is not sent, or all that the number is added to
}

// expand is the PRF of TLS 1.2 (RFC 5246 §5).
func expand(h func() hash.Hash, secret []byte, label string, size int, seeds ...[]byte) (out []byte) {
	mac := hmac.New(h, secret)
	seed := []byte(label)
	for _, s := range seeds {
		seed = append(seed, s...)
	}
	mac.Write(seed)
	a := mac.Sum(nil)
	for len(out) < size {
		mac.Reset()
		mac.Write(a)
		mac.Write(seed)
		out = mac.Sum(out)
		mac.Reset()
		mac.Write(a)
		a = mac.Sum(nil)
	}
	return out[:size]
}
