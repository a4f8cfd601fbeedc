package dtlsfront

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"

	"radsec-gw/dtlsfront/record"
	"radsec-gw/metrics"
	"radsec-gw/udpback/datagram"
	"radsec-gw/wire"
)

const (
	// maxRecords is how many records of a datagram are opened. Of a datagram that fits into
	// an Ethernet frame, none has more packets.
	maxRecords = 64
	// epoch is that of the keys.
	epoch = 1
	// Types of handshake messages (RFC 5246 §7.4).
	typeClientHello = 1
	typeFinished    = 20

	alertWarning         = 1
	alertFatal           = 2
	alertCloseNotify     = 0
	alertNoRenegotiation = 100
)

// receive handles the records of a datagram. It reports whether one was authentic, and whether
// a packet is the first that was given to the Sink since its last Flush: flush must be called.
//
// A record that is not authentic ends it: whoever does not know the keys has one record opened
// for a datagram, and closes nothing (RFC 6347 §4.1.2.7).
func (s *Session) receive(d []byte, from *datagram.Peer, now time.Time) (authentic, first bool) {
	s.receiving.Lock()
	defer s.receiving.Unlock()
	before := s.unflushed
	remote := from.AddrPort()
	for n := 0; len(d) > 0 && !s.closing.Load(); n++ {
		r, rest, ok := record.Next(d, sizeCID)
		if !ok || n == maxRecords {
			s.server.count(DatagramMalformed)
			break
		}
		d = rest
		if r.Epoch != epoch {
			continue // what is left of the handshake
		}
		if !s.window.New(r.Sequence) {
			s.server.count(RecordRepeated)
			continue
		}
		contentType, content, ok := s.opener.Open(&r)
		if !ok {
			s.server.count(RecordForged)
			break
		}
		authentic, s.heard = true, now
		newest := s.window.Newest(r.Sequence)
		s.window.Add(r.Sequence)
		if remote != *s.remote.Load() && !s.move(remote, from, newest) {
			s.server.count(RecordMoved)
			break
		}
		s.content(contentType, content, now)
	}
	return authentic, before == 0 && s.unflushed > 0
}

// move has the session go on at another address, from which an authentic record came. Only one
// with a Connection ID is found there. It reports whether the client may be there; answers go
// there only from the newest record on, so that an old one, sent again by somebody else, does
// not lead them away (RFC 9146 §6).
func (s *Session) move(remote netip.AddrPort, from *datagram.Peer, newest bool) bool {
	if !s.hasCID || !s.server.cfg.Acceptor.Move(s, remote) {
		return false
	}
	if newest {
		s.remote.Store(&remote)
		s.listener.moved(s, endpoints{remote, from.Local()})
		s.sending.Lock()
		s.peer = *from
		s.sending.Unlock()
	}
	return true
}

// content handles what a record has.
func (s *Session) content(contentType byte, content []byte, now time.Time) {
	switch contentType {
	case record.ApplicationData:
		s.packet(content, now)
	case record.Alert:
		s.alert(content)
	case record.Handshake:
		switch {
		case len(content) == 0:
		case content[0] == typeFinished:
			s.sendLastFlight()
		case content[0] == typeClientHello:
			s.sendAlert(alertNoRenegotiation) // RFC 5246 §7.2.2; the session goes on
		}
	}
}

// packet gives the packet of a record to the Sink. What follows its Length is padding; a record
// that is shorter, or a Length outside 20..4096, closes the session (RFC 7360 §5.1).
func (s *Session) packet(b []byte, now time.Time) {
	if s.draining.Load() && s.overLimit() {
		return
	}
	if len(b) < wire.MinLength {
		s.terminate(metrics.ClosedBadLength, fmt.Sprintf("packet %d: a record of %d octets; expected %d or more", s.packets+1, len(b), wire.MinLength))
		return
	}
	length := int(binary.BigEndian.Uint16(b[2:]))
	if length < wire.MinLength || length > wire.MaxLength || length > len(b) {
		s.terminate(metrics.ClosedBadLength, fmt.Sprintf("packet %d: a Length of %d in a record of %d octets; expected %d to %d, and no more than the record has", s.packets+1, length, len(b), wire.MinLength, wire.MaxLength))
		return
	}
	s.packets++
	s.unflushed++
	if wire.Code(b[0]) != codeStatusServer {
		s.activity.LastRequest = now // a watchdog does not count (RFC 6614bis §3.10)
		s.logAccepted()
	}
	if err := s.sink.Packet(b[:length]); err != nil {
		s.terminate(metrics.ClosedRefused, fmt.Sprintf("packet %d: %v", s.packets, err))
		return
	}
	if s.overLimit() {
		s.drain(metrics.ClosedPacketLimit, fmt.Sprintf("%d packets, which is the limit for one session", s.packets))
	}
}

// overLimit reports whether no more packets are taken.
func (s *Session) overLimit() bool {
	m := s.server.limits.Load().MaxPackets
	return m > 0 && s.packets >= m
}

// codeStatusServer is Status-Server (RFC 5997 §2).
const codeStatusServer = wire.Code(12)

// alert handles an alert of the client. It is authentic.
func (s *Session) alert(b []byte) {
	switch {
	case len(b) != 2:
	case b[1] == alertCloseNotify:
		s.terminate(metrics.ClosedByPeer, "the client closed the session")
	case b[0] == alertFatal:
		s.silent.Store(true)
		s.terminate(metrics.ClosedBroken, fmt.Sprintf("the client sent the alert %d", b[1]))
	}
}

// flush lets the Sink send its batch.
func (s *Session) flush() {
	s.receiving.Lock()
	defer s.receiving.Unlock()
	if s.unflushed == 0 {
		return
	}
	s.unflushed = 0
	if err := s.sink.Flush(); err != nil {
		s.terminate(metrics.ClosedRefused, err.Error())
	}
}
