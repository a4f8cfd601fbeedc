package relay

import (
	"radsec-gw/udpback"
	"radsec-gw/wire"
)

// conversationKey returns a hash that is the same for all rounds of a conversation,
// whichever replica of the gateway they arrive at, so that replicas choose the same server
// without sharing state. It is of what a NAS repeats in every round: Calling-Station-Id
// and User-Name (RFC 3579 §2.1 has the NAS copy the identity into each Access-Request);
// without a Calling-Station-Id, NAS-Identifier or NAS-IP-Address, and User-Name.
func conversationKey(v *wire.View) uint64 {
	if station := v.CallingStationID(); station != nil {
		return udpback.Hash(station, v.UserName())
	}
	nas := v.NASIdentifier()
	if nas == nil {
		nas = v.NASIPAddress()
	}
	return udpback.Hash(nas, v.UserName())
}

// setAffinity sets the fields of the Exchange that the choice of a server uses. If to has
// one server only, that is HasState: a request with State is preferred when the server is
// nearly full (RFC 5080 §2.2.3).
func (req *request) setAffinity(to *udpback.Group) {
	v := req.packet()
	req.HasState = v.HasState()
	req.Key, req.StateHash, req.Conversation = 0, 0, false
	if !to.Chooses() {
		return
	}
	req.Key, req.Conversation = conversationKey(v), v.HasEAP() || req.HasState
	if req.HasState {
		req.StateHash = udpback.Hash(v.State())
	}
}
