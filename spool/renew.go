package spool

import (
	"encoding/binary"
	"math"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2866"
	"layeh.com/radius/rfc2869"

	"radsec-gw/wire"
)

// renew returns the packet of a record as it is to be sent now: with the age of the record
// added to Acct-Delay-Time, which is added if there is none, so that the server knows when it
// happened (RFC 2866 §5.2); and with an Event-Timestamp of that time if there is none (RFC 2869
// §5.3). What does not fit into a packet is not added. The authenticator is not valid.
//
// Rules: SP6.
func (r *Record) renew(age time.Duration) []byte {
	var v wire.View
	v.Parse(r.Packet)
	out := append(make([]byte, 0, len(r.Packet)+12), r.Packet[:wire.MinLength]...)
	seconds := uint64(max(0, age/time.Second))
	delay, hasDelay, hasTime := uint64(0), false, false
	for t, value := range v.All() {
		switch radius.Type(t) {
		case rfc2866.AcctDelayTime_Type:
			if len(value) == 4 && !hasDelay {
				hasDelay, delay = true, uint64(binary.BigEndian.Uint32(value))
				value = delayValue(delay + seconds)
			}
		case rfc2869.EventTimestamp_Type:
			hasTime = hasTime || len(value) == 4
		}
		out = append(append(out, t, byte(len(value)+2)), value...)
	}
	const added = 2 + 4
	if !hasDelay && len(out)+added <= wire.MaxLength {
		out = append(append(out, byte(rfc2866.AcctDelayTime_Type), added), delayValue(seconds)...)
	}
	if !hasTime && len(out)+added <= wire.MaxLength {
		happened := r.Arrived.Unix() - int64(delay)
		out = binary.BigEndian.AppendUint32(append(out, byte(rfc2869.EventTimestamp_Type), added), uint32(max(0, happened)))
	}
	binary.BigEndian.PutUint16(out[2:], uint16(len(out)))
	return out
}

// delayValue returns the value of an Acct-Delay-Time. A delay that is too long for it is the
// longest.
func delayValue(seconds uint64) []byte {
	return binary.BigEndian.AppendUint32(nil, uint32(min(seconds, math.MaxUint32)))
}
