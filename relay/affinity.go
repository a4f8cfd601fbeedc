package relay

import (
	"radsec-gw/udpback"
	"radsec-gw/wire"
)

// conversationKey is the same for all rounds of a conversation, on whichever
// replica of the gateway they arrive, so that servers can be chosen without
// shared memory. It comes from what a NAS repeats in every round:
// Calling-Station-Id and User-Name (RFC 3579 §2.1 has the NAS copy the identity
// into each Access-Request); where the station is not named, the NAS and its
// port distinguish two sessions of a user.
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

// setAffinity sets what choosing among several servers needs. With one server
// all that counts is that a request with State is preferred when the server is
// nearly full (RFC 5080 §2.2.3).
func (req *request) setAffinity(to *udpback.Group) {
	v := &req.view
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
