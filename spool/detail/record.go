package detail

import (
	"encoding/hex"
	"net/netip"
	"strconv"
	"time"

	"radsec-gw/wire"
)

// Record is one Accounting-Request.
type Record struct {
	Arrived time.Time      // when the gateway received it; a time before 1970 or after 2106: unknown
	Client  string         // name of the configured client, "" if unknown
	Address netip.AddrPort // of the client's connection; the zero AddrPort: unknown
	// Packet is a whole well-formed Accounting-Request. Its Identifier and its authenticator are
	// about the hop that it came over. The authenticator is kept, because hidden attributes may be
	// encrypted with it.
	Packet []byte

	// Skipped says what a Reader could not carry over, each with its line and the reason. Append
	// does not use it.
	Skipped []string
}

// maxClient is the length of the longest name of a client that is written: each byte takes up
// to four, and FreeRADIUS drops a file that has a line of more than 2047.
const maxClient = 400

// headerLayout is how FreeRADIUS writes the time in a record's first line.
const headerLayout = time.ANSIC

// Append appends the record as text, ending with an empty line. It appends nothing for a packet
// that is not a well-formed Accounting-Request, and does not write a client's name of more than
// 400 bytes.
//
// Rules: SP12, SP14.
func (r *Record) Append(dst []byte) []byte {
	var v wire.View
	if v.Parse(r.Packet) != nil || v.Kind() != wire.KindAccounting {
		return dst
	}
	seconds := int64(0) // FreeRADIUS adds nothing to Acct-Delay-Time then
	if known(r.Arrived) {
		seconds = r.Arrived.Unix()
	}
	dst = time.Unix(seconds, 0).UTC().AppendFormat(dst, headerLayout)
	dst = append(dst, '\n')
	dst = r.appendNotes(dst, v.Authenticator())
	for t, value := range v.All() {
		dst = appendAttribute(dst, t, value)
	}
	dst = append(dst, '\t')
	dst = append(dst, nameTimestamp+" = "...)
	dst = strconv.AppendInt(dst, seconds, 10)
	return append(dst, '\n', '\n')
}

// appendNotes appends what is known of the record and is not an attribute.
func (r *Record) appendNotes(dst []byte, authenticator *[16]byte) []byte {
	if known(r.Arrived) {
		dst = append(beginNote(dst, noteArrived), r.Arrived.UTC().Format(time.RFC3339Nano)...)
		dst = append(dst, '\n')
	}
	if r.Client != "" && len(r.Client) <= maxClient {
		dst = append(appendQuoted(beginNote(dst, noteClient), r.Client), '\n')
	}
	if text := r.Address.String(); readsAs(text, r.Address) {
		dst = append(appendQuoted(beginNote(dst, noteAddress), text), '\n')
	}
	if *authenticator != [16]byte{} {
		dst = append(appendHex(beginNote(dst, noteAuthenticator), authenticator[:]), '\n')
	}
	return dst
}

// readsAs reports whether an address has a text that it can be read from. One that is not valid
// has none, nor has one in a zone that is not the name of an interface.
func readsAs(text string, address netip.AddrPort) bool {
	back, err := netip.ParseAddrPort(text)
	return err == nil && back == address && len(text) <= maxClient
}

// known reports whether a time is one that a record can have arrived at: one that the attributes
// of RADIUS can express.
func known(t time.Time) bool { return t.Unix() >= 0 && t.Unix() < 1<<32 }

// A note is a line of ours that FreeRADIUS passes over. It must begin like this, with a space
// before the name: a line with a name that FreeRADIUS does not know makes it drop the whole file.
// radclient passes over a comment only if nothing precedes the sign.
const notePrefix = "# Radsec-Gw-"

// The names of notes, after notePrefix.
const (
	noteArrived       = "Arrived"
	noteClient        = "Client"
	noteAddress       = "Address"
	noteAuthenticator = "Authenticator"
	noteAttribute     = "Attribute" // a whole attribute that FreeRADIUS must not see
)

func beginNote(dst []byte, name string) []byte {
	dst = append(dst, notePrefix...)
	dst = append(dst, name...)
	return append(dst, " = "...)
}

// appendHex appends octets as FreeRADIUS writes them.
func appendHex(dst, octets []byte) []byte {
	return hex.AppendEncode(append(dst, "0x"...), octets)
}
