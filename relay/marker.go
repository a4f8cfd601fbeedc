package relay

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"

	"radsec-gw/udpback"
	"radsec-gw/wire"
)

// Marker marks requests for the servers, and finds those that have been at this gateway
// before (loop.go).
//
// The gateway withholds its clients' Proxy-State from the servers, so nobody behind it
// could count hops. It adds one Proxy-State of its own instead, after all other
// attributes (RFC 2865 §2.3, §5.33). Its value is
//
//	markerPrefix                        8 octets
//	for each gateway on the way so far, the last one at the end:
//	  what the gateway calls itself     8 octets
//	  the server it was sent to         4 octets, udpback.ServerID
//
// Gateways that are not replicas of each other do not share what they call themselves, so
// each repeats the entries of those before it: a loop through several is found by
// the first that the request reaches again. A way of markerMax gateways is a loop, too.
//
// A Marker is immutable, and may be used by any goroutine.
type Marker struct {
	own     [markerSelf]byte  // what the gateway calls itself
	servers map[uint32]string // by their numbers
}

const (
	markerPrefix = "radsecgw"
	markerSelf   = 8
	markerEntry  = markerSelf + 4
	markerMax    = (253 - len(markerPrefix)) / markerEntry // 20 gateways fit into an attribute
)

// MarkerKey is what a gateway's name in markers is made from.
type MarkerKey [32]byte

// NewMarkerKey returns a key for this process: replicas do not recognize each other's
// requests then.
func NewMarkerKey() (k MarkerKey) {
	rand.Read(k[:])
	return k
}

// SharedMarkerKey returns the key of all replicas that are given the same secret.
// A marker does not reveal the secret, but whoever sees one can try words against it.
func SharedMarkerKey(secret []byte) MarkerKey { return sha256.Sum256(secret) }

// NewMarker returns the marker of the gateway with the key, for the servers with these
// configured names.
func NewMarker(key MarkerKey, servers []string) *Marker {
	m := &Marker{servers: map[uint32]string{}}
	mac := hmac.New(sha256.New, key[:])
	mac.Write([]byte("radsec-gw loop marker"))
	copy(m.own[:], mac.Sum(nil))
	for _, name := range servers {
		m.servers[udpback.ServerID(name)] = name
	}
	return m
}

// append appends the marker of the request to dst, for the copy that goes to server.
// The request has not looped, so it fits into markerSize octets.
func (m *Marker) append(dst []byte, v *wire.View, server uint32) []byte {
	dst = append(dst, markerPrefix...)
	if v.HasProxyState() {
		for way := range waysOf(v) {
			dst = append(dst, way...)
		}
	}
	dst = append(dst, m.own[:]...)
	return binary.BigEndian.AppendUint32(dst, server)
}

// markerSize is the most octets that a marker has.
const markerSize = len(markerPrefix) + markerMax*markerEntry
