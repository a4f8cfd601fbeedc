package wire

import (
	"crypto/md5"
	"crypto/subtle"
)

// macLength is the size of a Message-Authenticator attribute (RFC 3579 §3.2).
const macLength = 2 + 16

// messageAuthenticatorForm checks that there is exactly one
// Message-Authenticator and that it has 18 octets (RFC 3579 §3.2, §3.3).
func (v *View) messageAuthenticatorForm() error {
	if v.macs != 1 || v.Packet[v.first[slotMessageAuthenticator]+1] != macLength {
		return ErrMessageAuthenticatorForm
	}
	return nil
}

// addMAC queues HMAC-MD5(secret, packet) (RFC 2104 §2), the packet with vector
// in the Authenticator field and the value of the Message-Authenticator at off
// zeroed (RFC 3579 §3.2, RFC 5176 §3.4).
func (d *Digests) addMAC(packet []byte, off int, vector *[16]byte, s *secret) (number int) {
	_, b := d.lanes.Add(s.inner, len(packet))
	copy(b, packet)
	copy(b[4:20], vector[:])
	clear(b[off+2 : off+macLength])
	number, b = d.lanes.Then(s.outer, md5.Size, 0)
	clear(b)
	return number
}

// addRA queues MD5(packet, secret), the packet with vector in the Authenticator
// field: what this field holds in replies, over the request's authenticator, and
// in requests where it is computed, over zeros (RFC 2865 §3, RFC 2866 §3).
//
// mac is the offset of a Message-Authenticator whose HMAC has just been queued
// and has to be in the packet first, or 0.
func (d *Digests) addRA(packet []byte, mac int, vector *[16]byte, s *secret) (number int) {
	var b []byte
	if n := len(packet) + len(s.key); mac != 0 {
		number, b = d.lanes.Then(d.begin, n, mac+2)
	} else {
		number, b = d.lanes.Add(d.begin, n)
	}
	copy(b[copy(b, packet):], s.key)
	copy(b[4:20], vector[:])
	if mac != 0 {
		clear(b[mac+2 : mac+macLength])
	}
	return number
}

// place adds a packet to the queue, as one to verify. The caller has checked that there
// is space.
func (d *Digests) place(packet []byte) *queued {
	d.queue = d.queue[:len(d.queue)+1]
	q := &d.queue[len(d.queue)-1]
	q.packet, q.sign, q.ra, q.mac, q.wrongRA, q.zeros, q.result = packet, false, none, none, nil, nil, ErrNotRun
	return q
}

// sign queues the signing of a packet in place: the Message-Authenticator at
// mac, if that is not 0, over the Authenticator field as it is; then, if
// authenticator is set, the digest that replaces this field and covers the
// Message-Authenticator. The caller has checked that there is space.
func (d *Digests) sign(packet []byte, mac int, authenticator bool, s *secret) {
	q := d.place(packet)
	q.sign, q.off = true, mac
	vector := (*[16]byte)(packet[4:20])
	if mac != 0 {
		q.mac = d.addMAC(packet, mac, vector, s)
	}
	if authenticator {
		q.ra = d.addRA(packet, mac, vector, s)
	}
}

// write completes a signed packet.
func (d *Digests) write(q *queued) {
	if q.mac != none {
		copy(q.packet[q.off+2:], d.lanes.Sum(q.mac)[:])
	}
	if q.ra != none {
		copy(q.packet[4:20], d.lanes.Sum(q.ra)[:])
	}
}

// check queues the verification of a packet: of its Authenticator field, when
// wrongRA is the error for one that differs, and of its Message-Authenticator, if it
// has one, which then has the right form. Both are over vector. The caller has
// checked that there is space.
func (d *Digests) check(v *View, vector *[16]byte, wrongRA error, s *secret) *queued {
	q := d.place(v.Packet)
	q.wrongRA = wrongRA
	if wrongRA != nil {
		q.ra = d.addRA(v.Packet, 0, vector, s)
	}
	if v.HasMessageAuthenticator() {
		q.off = int(v.first[slotMessageAuthenticator])
		q.mac = d.addMAC(v.Packet, q.off, vector, s)
	}
	return q
}

// ticket returns the ticket of the packet queued last.
func (d *Digests) ticket() Ticket { return Ticket(len(d.queue) - 1) }

// compare sets the result of a packet, the Authenticator field first.
func (d *Digests) compare(q *queued) {
	switch {
	case q.ra != none && !equal(d.lanes.Sum(q.ra), q.packet[4:20]):
		q.result = q.wrongRA
	case q.mac != none && !equal(d.lanes.Sum(q.mac), q.packet[q.off+2:q.off+macLength]):
		q.result = ErrMessageAuthenticator
	default:
		q.result = nil
	}
}

// verifyOverZeros verifies the packets whose Message-Authenticator may be over zeros
// and is not over the request's authenticator.
func (d *Digests) verifyOverZeros() {
	for i := range d.queue {
		if q := &d.queue[i]; q.result == ErrMessageAuthenticator && q.zeros != nil {
			q.ra, q.mac = none, d.addMAC(q.packet, q.off, &d.zero, q.zeros)
		}
	}
	d.lanes.Run()
	for i := range d.queue {
		if q := &d.queue[i]; q.result == ErrMessageAuthenticator && q.zeros != nil {
			d.compare(q)
		}
	}
	d.lanes.Reset()
}

// equal compares two authenticators in constant time
// (draft-ietf-radext-deprecating-radius §8.4).
func equal(digest *[md5.Size]byte, field []byte) bool {
	return subtle.ConstantTimeCompare(digest[:], field) == 1
}
