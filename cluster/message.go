package cluster

import (
	"encoding/binary"
	"errors"
)

// ReplicaID tells gateways apart: random bytes of each start.
type ReplicaID [16]byte

// MarkerID is what a gateway marks its requests with; the zero MarkerID: it does not.
type MarkerID = [8]byte

// Issuer is which server issued a State.
type Issuer struct {
	State  uint64 // the hash of the State, which all gateways compute alike
	Server uint32 // the number of the server's name, likewise
}

// A message begins with its version and the sender:
//
//	version    1 octet, 1
//	sender    16 octets, its ReplicaID
//
// In PREFIX.marker follow 8 octets, the sender's MarkerID. In PREFIX.state follow 1 to 256
// times
//
//	hash       8 octets
//	server     4 octets
//
// Numbers are in network byte order.
const (
	messageVersion = 1
	headerSize     = 1 + len(ReplicaID{})
	markerSize     = headerSize + len(MarkerID{})
	issuerSize     = 8 + 4
	maxIssuers     = 256
	maxStateSize   = headerSize + maxIssuers*issuerSize
)

var errMessage = errors.New("not a message of this version")

// appendHeader appends what every message begins with.
func appendHeader(dst []byte, from ReplicaID) []byte {
	return append(append(dst, messageVersion), from[:]...)
}

// parseHeader returns the sender of a message and what follows.
func parseHeader(b []byte) (from ReplicaID, rest []byte, err error) {
	if len(b) < headerSize || b[0] != messageVersion {
		return from, nil, errMessage
	}
	return ReplicaID(b[1:]), b[headerSize:], nil
}

// appendMarker appends a message of PREFIX.marker.
func appendMarker(dst []byte, from ReplicaID, marker MarkerID) []byte {
	return append(appendHeader(dst, from), marker[:]...)
}

// parseMarker returns what a message of PREFIX.marker holds.
func parseMarker(b []byte) (from ReplicaID, marker MarkerID, err error) {
	from, rest, err := parseHeader(b)
	if err != nil || len(b) != markerSize {
		return ReplicaID{}, MarkerID{}, errMessage
	}
	return from, MarkerID(rest), nil
}

// appendIssuer appends a pair to a message of PREFIX.state that has its header.
func appendIssuer(dst []byte, i Issuer) []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(dst, i.State), i.Server)
}

// parseIssuers returns the sender of a message of PREFIX.state, and its pairs, which issuers
// returns one by one.
func parseIssuers(b []byte) (from ReplicaID, pairs []byte, err error) {
	from, pairs, err = parseHeader(b)
	if err != nil || len(b) > maxStateSize || len(pairs) == 0 || len(pairs)%issuerSize != 0 {
		return ReplicaID{}, nil, errMessage
	}
	return from, pairs, nil
}

// issuers ranges over the pairs of a message.
func issuers(pairs []byte) func(yield func(Issuer) bool) {
	return func(yield func(Issuer) bool) {
		for ; len(pairs) >= issuerSize; pairs = pairs[issuerSize:] {
			if !yield(Issuer{binary.BigEndian.Uint64(pairs), binary.BigEndian.Uint32(pairs[8:])}) {
				return
			}
		}
	}
}
