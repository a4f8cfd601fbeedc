package dtlsfront

import "radsec-gw/metrics"

// Count is something that is counted.
type Count int

// What is counted. Of a flood only the counts remain: nothing is logged.
const (
	HelloChallenged     Count = iota // a ClientHello without a cookie was answered with one
	HelloMalformed                   // a ClientHello was malformed, or in fragments
	HelloOverload                    // a ClientHello was dropped because there were too many
	HelloNotAdmitted                 // a ClientHello came from an address that no client has, or when there was no place
	HelloInvalidCookie               // a ClientHello returned a cookie that was not made for it
	HelloRepeated                    // a ClientHello whose handshake is running, or is done
	HandshakeStarted                 // a ClientHello returned its cookie
	HandshakeComplete                // it led to a session
	HandshakeFailed                  // the peer gave up, was refused, or broke the protocol
	HandshakeTimeout                 // it was not complete in time
	HandshakeDisplaced               // it was the oldest of the source with the most, and another came
	HandshakeRefused                 // it was complete, and the client got no session
	HandshakeOverflow                // a datagram for a handshake that had too many waiting
	DatagramUnknown                  // a datagram of an address without a session
	DatagramMalformed                // a datagram without a whole record, or with too many
	RecordForged                     // a record was not authentic
	RecordRepeated                   // a record had been received before, or was too old to know
	RecordMoved                      // a record came from an address that its client may not have
	LastFlightSentAgain              // the client had not received the end of the handshake
	counts
)

// drops are those that the metrics show as dropped.
var drops = map[Count]metrics.Drop{
	HelloMalformed: metrics.DropHelloMalformed, HelloOverload: metrics.DropHelloOverload, HelloNotAdmitted: metrics.DropHelloNotAdmitted,
	HelloInvalidCookie: metrics.DropHelloInvalidCookie, HandshakeOverflow: metrics.DropHandshakeOverflow, DatagramUnknown: metrics.DropUnknown,
	DatagramMalformed: metrics.DropMalformed, RecordForged: metrics.DropForged, RecordRepeated: metrics.DropRepeated, RecordMoved: metrics.DropMoved,
}

func (s *Server) count(c Count) {
	s.counts[c].Add(1)
	if s.cfg.Drops == nil {
		return
	}
	if why, ok := drops[c]; ok {
		s.cfg.Drops.CountDrop(why)
	} else if c == HelloChallenged {
		s.cfg.Drops.CountCookie()
	}
}

// Count returns how often something happened.
func (s *Server) Count(c Count) int64 { return s.counts[c].Load() }
