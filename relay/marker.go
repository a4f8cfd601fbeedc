package relay

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"

	"radsec-gw/udpback"
	"radsec-gw/wire"
)

// Marker marks requests for the servers, and detects those that have passed this gateway
// before (loop.go).
//
// The gateway does not pass its clients' Proxy-State on, so a server could not count hops.
// Instead it adds one Proxy-State of its own, the marker, after all other attributes (RFC
// 2865 §2.3, §5.33). Its value is
//
//	markerPrefix                                      8 octets
//	for each gateway that the request has passed, in order:
//	  the gateway's identifier                        8 octets
//	  the server that the gateway has sent it to      4 octets, udpback.ServerID
//
// Only replicas have the same identifier, or know each other's (replicas.go), so each gateway repeats the entries of those
// before it: a loop through several gateways is detected by the first that the request
// reaches again. A request that has passed markerMax gateways counts as a loop, too.
//
// A Marker is immutable, and may be used by any goroutine.
type Marker struct {
	own      [markerSelf]byte  // the gateway's identifier
	servers  map[uint32]string // names by udpback.ServerID
	replicas *Replicas         // that this gateway knows of; nil: none
}

const (
	markerPrefix = "radsecgw"
	markerSelf   = 8
	markerEntry  = markerSelf + 4
	markerMax    = (253 - len(markerPrefix)) / markerEntry // 20 gateways fit into an attribute
)

// MarkerKey is the key that a gateway's identifier in markers is made from.
type MarkerKey [32]byte

// NewMarkerKey returns a random key. Replicas with different keys do not recognize each
// other's markers.
func NewMarkerKey() (k MarkerKey) {
	rand.Read(k[:])
	return k
}

// SharedMarkerKey returns the key of all replicas that are configured with secret. A marker
// does not reveal the secret, but anyone who sees a marker can guess at it offline.
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

// Own returns the gateway's identifier.
func (m *Marker) Own() [markerSelf]byte { return m.own }

// append appends the marker of a request that is sent to server to dst. The request has
// not looped, so the marker has at most markerSize octets.
func (m *Marker) append(dst []byte, v *wire.View, server uint32) []byte {
	dst = append(dst, markerPrefix...)
	if v.HasProxyState() {
		for entries := range markersOf(v) {
			dst = append(dst, entries...)
		}
	}
	dst = append(dst, m.own[:]...)
	return binary.BigEndian.AppendUint32(dst, server)
}

// markerSize is the largest size of a marker in octets.
const markerSize = len(markerPrefix) + markerMax*markerEntry
