package relay

import (
	"net/netip"

	"radsec-gw/udpback"
	"radsec-gw/wire"
)

// NAS is a server of a route that is a NAS: the last hop of CoA and Disconnect.
type NAS struct {
	Group       *udpback.Group // of it alone
	Identifiers []string       // its names in NAS-Identifier and Operator-NAS-Identifier
	Addresses   []netip.Addr   // its addresses in NAS-IP-Address and NAS-IPv6-Address
}

// NASes has the servers of a route that has NASes among them. It is immutable.
type NASes struct {
	all          []NAS
	byIdentifier map[string]*NAS
	byAddress    map[netip.Addr]*NAS
	others       *udpback.Group // of the servers that are not NASes; nil: there are none
}

// NewNASes returns the NASes of a route. others is the group of its other servers, nil if
// there are none. If two NASes have the same name or address, the first is chosen.
func NewNASes(all []NAS, others *udpback.Group) *NASes {
	s := &NASes{all: all, byIdentifier: map[string]*NAS{}, byAddress: map[netip.Addr]*NAS{}, others: others}
	for i := range all {
		for _, id := range all[i].Identifiers {
			if s.byIdentifier[id] == nil {
				s.byIdentifier[id] = &all[i]
			}
		}
		for _, a := range all[i].Addresses {
			if a = a.Unmap(); s.byAddress[a] == nil {
				s.byAddress[a] = &all[i]
			}
		}
	}
	return s
}

// lastHop returns the group for a CoA or Disconnect, or nil and an Error-Cause if there is
// none.
func (r *Route) lastHop(v *wire.View) (*udpback.Group, uint32) {
	if r.NASes == nil {
		return r.Group, 0
	}
	return r.NASes.choose(v)
}

// choose returns the group for a CoA or Disconnect: that of the NAS which its
// Operator-NAS-Identifier, NAS-Identifier, NAS-IP-Address or NAS-IPv6-Address names
// (RFC 5176 §3, RFC 8559 §4.2). One known name is enough, whatever the others are,
// because a NAS may have more names than its route lists, and the RFCs do not say which
// attribute decides. Only names of two known NASes are a mismatch (RFC 8559 §3.3).
//
// A request that names no known NAS goes to the servers that are not NASes. If there are
// none, a request without any name goes to the only NAS. Otherwise choose returns nil, and
// the Error-Cause: 403 if the names are unknown, or those of two NASes; 402 if there is no
// name, and several NASes.
func (s *NASes) choose(v *wire.View) (g *udpback.Group, cause uint32) {
	var found *NAS
	named, two := false, false
	note := func(nas *NAS) {
		named = true
		if nas != nil {
			two = two || found != nil && nas != found
			found = nas
		}
	}
	for _, id := range [][]byte{v.OperatorNASIdentifier(), v.NASIdentifier()} {
		if id != nil {
			note(s.byIdentifier[string(id)])
		}
	}
	for _, octets := range [][]byte{v.NASIPAddress(), v.NASIPv6Address()} {
		if octets != nil {
			a, _ := netip.AddrFromSlice(octets)
			note(s.byAddress[a.Unmap()])
		}
	}
	switch {
	case two:
		return nil, causeNASMismatch
	case found != nil:
		return found.Group, 0
	case s.others != nil:
		return s.others, 0
	case named:
		return nil, causeNASMismatch
	case len(s.all) == 1:
		return s.all[0].Group, 0
	}
	return nil, causeMissingAttribute
}
