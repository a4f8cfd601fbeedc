// Package wire reads, checks, rewrites and signs RADIUS packets as octets. It
// knows no sockets, clocks or configuration.
//
// A packet's way through it, on the way to the server and back:
//
//	Cut            where the first packet of a stream ends
//	View.Parse     framing checked, places of attributes found, one walk
//	VerifyRequest  the client's authenticators hold
//	WriteRequest   the server's copy: identifier, authenticator, secrets renewed
//	VerifyReply    the server's authenticators hold against what was sent
//	WriteReply     the client's copy: its identifier, Proxy-State, secrets
//	WriteAnswer    a reply that the gateway makes itself
//
// Between a client and a server only what belongs to one hop changes: the
// header, Message-Authenticator, Proxy-State, and the attributes that are
// hidden under a hop's secret. All else is copied in runs, in order, octet by
// octet, known or not. Hidden attributes keep their length, because padded
// blocks are carried through as they are, so a rewritten packet has the length
// of the old one plus or minus whole attributes.
//
// All but the first two come in two forms. A Digests takes a burst of packets,
// of any kinds together, and computes their MD5 digests side by side (package
// lanes), in a fraction of the time: packets are queued, then Run, then they are
// complete and results known. A Hasher takes one packet at a time. Either
// belongs to one goroutine, owns its scratch space and random octets, and
// allocates nothing on a packet's way.
package wire
