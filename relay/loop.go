package relay

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"strconv"

	"radsec-gw/udpback"
	"radsec-gw/wire"
)

// Marker finds requests that have been at this gateway before, and were sent back to it
// by a server or by what lies behind one.
//
// The gateway withholds its clients' Proxy-State from the servers, so nobody behind it
// could count hops. It adds one Proxy-State of its own instead, behind all other
// attributes (RFC 2865 §2.3, §5.33). Its value is
//
//	markerPrefix                        8 octets
//	for each gateway on the way so far, the last one behind:
//	  what the gateway calls itself     8 octets
//	  the server it was sent to         4 octets, udpback.ServerID
//
// Gateways that are no replicas of each other do not share what they call themselves, so
// each carries on what it finds of others before it: a loop through several is found by
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

// NewMarkerKey returns a key for this process: replicas do not recognise each other's
// requests then, and are told apart.
func NewMarkerKey() (k MarkerKey) {
	rand.Read(k[:])
	return k
}

// SharedMarkerKey returns the key of all replicas that are given the same secret.
// A marker does not tell the secret, but who sees one can try words against it.
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

// looped reports whether the request has been at this gateway before. server is then
// the name of the server that it was sent to; "" when it has passed more gateways than
// a request may without coming here.
func (m *Marker) looped(v *wire.View) (server string, ok bool) {
	if m == nil || !v.HasProxyState() {
		return "", false
	}
	passed := 0
	for way := range waysOf(v) {
		for ; len(way) > 0; way = way[markerEntry:] {
			if passed++; [markerSelf]byte(way) == m.own {
				return m.nameOf(binary.BigEndian.Uint32(way[markerSelf:])), true
			}
		}
	}
	return "", passed >= markerMax
}

// nameOf returns the name of the server with a number.
func (m *Marker) nameOf(id uint32) string {
	if name, ok := m.servers[id]; ok {
		return name
	}
	return "one that this gateway does not have, number " + strconv.FormatUint(uint64(id), 16) // a replica has it, or the file had
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

// waysOf ranges over the entries in each marker of a request, whole ones. What does not
// have the form of a marker is somebody else's and not looked at (RFC 2865 §5.33).
func waysOf(v *wire.View) func(yield func(way []byte) bool) {
	return func(yield func(way []byte) bool) {
		for value, next := v.NextProxyState(markerPrefix, 0); value != nil; value, next = v.NextProxyState(markerPrefix, next) {
			if way := value[len(markerPrefix):]; len(way)%markerEntry == 0 && !yield(way) {
				return
			}
		}
	}
}
