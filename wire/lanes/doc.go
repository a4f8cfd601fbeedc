// Package lanes hashes up to sixteen messages at a time with MD5 (RFC 1321).
//
// MD5 is a chain of dependent steps, so hashing one message leaves most of a
// processor idle; hashing several side by side, one in each lane of the vector
// registers, takes hardly longer than hashing one. Messages are queued, copied
// into the Hasher's own memory, and hashed together by Run:
//
//	message, octets := h.Add(lanes.Initial(), len(packet))
//	copy(octets, packet)
//	h.Run()
//	digest := h.Sum(message)
//
// A message can depend on the digest of another, as the outer hash of an HMAC
// does (Then). A message ends and another takes over its lane without the others
// having to wait.
//
// There are block functions for AVX-512 and AVX2, printed by gen. On any other
// processor, and for a single message where it is faster, crypto/md5 hashes one
// after the other.
package lanes

//go:generate go run ./gen
