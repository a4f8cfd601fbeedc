package record

import (
	"crypto/cipher"
	"encoding/binary"
)

// half protects the records of one direction. What the AEAD is given is in memory of its own:
// it would be allocated anew for each record otherwise.
type half struct {
	aead     cipher.AEAD
	iv       [12]byte
	explicit bool
	cid      []byte // nil: none

	nonce [12]byte
	data  []byte // authenticated, not encrypted
}

func newHalf(k Keys, cid []byte) half {
	return half{aead: k.aead, iv: k.iv, explicit: k.suite.explicit, cid: cid, data: make([]byte, 0, 23+len(cid))}
}

// setNonce sets the nonce for a record. sent is the part that the record has, if the suite
// sends one.
func (h *half) setNonce(number, sent []byte) {
	h.nonce = h.iv
	if h.explicit { // RFC 5288 §3
		copy(h.nonce[4:], sent)
		return
	}
	for i, b := range number { // RFC 7905 §2
		h.nonce[4+i] ^= b
	}
}

// setData sets the data that is authenticated with a content of some size, for a record
// without a Connection ID (RFC 5246 §6.2.3.3) or with one (RFC 9146 §5.3).
func (h *half) setData(contentType byte, number, cid []byte, size int) {
	d := h.data[:0]
	if cid == nil {
		d = append(d, number...)
		d = append(d, contentType, version12>>8, version12&0xff)
	} else {
		d = append(d, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, withCID, byte(len(cid)), withCID, version12>>8, version12&0xff)
		d = append(d, number...)
		d = append(d, cid...)
	}
	h.data = binary.BigEndian.AppendUint16(d, uint16(size))
}

// Sealer encrypts records. It must not be used concurrently.
type Sealer struct {
	half
	epoch uint16
	next  uint64 // sequence number
	inner []byte // a content with its type, for records with a Connection ID
}

// NewSealer returns a Sealer whose next record has a given sequence number. cid is the
// Connection ID that the peer has asked for; empty: none.
func NewSealer(k Keys, epoch uint16, next uint64, cid []byte) *Sealer {
	if len(cid) == 0 {
		cid = nil
	}
	return &Sealer{half: newHalf(k, cid), epoch: epoch, next: next}
}

// Exhausted reports whether no more records can be sealed.
func (s *Sealer) Exhausted() bool { return s.next > MaxSequence }

// Seal appends a record to dst, which content must not overlap. It must not be called once
// Exhausted reports true.
func (s *Sealer) Seal(dst []byte, contentType byte, content []byte) []byte {
	number := uint64(s.epoch)<<48 | s.next
	s.next++
	wireType := contentType
	if s.cid != nil { // RFC 9146 §4: the real type is encrypted, too
		s.inner = append(append(s.inner[:0], content...), contentType)
		wireType, content = withCID, s.inner
	}
	size := len(content) + s.aead.Overhead()
	if s.explicit {
		size += 8
	}
	dst = append(dst, wireType, version12>>8, version12&0xff)
	at := len(dst)
	dst = binary.BigEndian.AppendUint64(dst, number)
	dst = append(dst, s.cid...)
	dst = binary.BigEndian.AppendUint16(dst, uint16(size))
	wire := dst[at : at+8]
	if s.explicit {
		dst = append(dst, wire...) // unique with this key, as RFC 5288 §3 demands
	}
	s.setNonce(wire, wire)
	s.setData(contentType, wire, s.cid, len(content))
	return s.aead.Seal(dst, s.nonce[:], content, s.data)
}

// Opener decrypts records. It must not be used concurrently.
type Opener struct{ half }

// NewOpener returns an Opener.
func NewOpener(k Keys) *Opener { return &Opener{newHalf(k, nil)} }

// Open decrypts a record in place. It returns the content and its type; ok is false if the
// record is not authentic.
func (o *Opener) Open(r *Record) (contentType byte, content []byte, ok bool) {
	f := r.Fragment
	var sent []byte
	if o.explicit {
		if len(f) < 8 {
			return 0, nil, false
		}
		sent, f = f[:8], f[8:]
	}
	size := len(f) - o.aead.Overhead()
	if size < 0 || size > MaxPlaintext+1 {
		return 0, nil, false
	}
	o.setNonce(r.number[:], sent)
	o.setData(r.Type, r.number[:], r.CID, size)
	content, err := o.aead.Open(f[:0], o.nonce[:], f, o.data)
	if err != nil {
		return 0, nil, false
	}
	if r.CID == nil {
		return r.Type, content, true
	}
	for i := len(content) - 1; i >= 0; i-- { // zeros after the type are padding
		if content[i] != 0 {
			return content[i], content[:i], true
		}
	}
	return 0, nil, false
}
