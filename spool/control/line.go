package control

import (
	"encoding/binary"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"

	"radsec-gw/spool"
	"radsec-gw/wire"
)

// Line is what people see of one record.
type Line struct {
	Number   uint64    `json:"number"`
	Arrived  time.Time `json:"arrived"`
	Age      float64   `json:"age_seconds"`
	Client   string    `json:"client"`
	Address  string    `json:"address,omitempty"` // of the client's connection
	Route    string    `json:"route,omitempty"`
	Status   string    `json:"status"` // Acct-Status-Type: its name, or its number
	Session  string    `json:"session"`
	User     string    `json:"user,omitempty"`
	NAS      string    `json:"nas,omitempty"` // NAS-Identifier
	State    string    `json:"state"`         // "waiting", "sending", or "held" while a server may still answer the client's own request
	Attempts int       `json:"attempts"`      // that were not answered although the server answered others
	Octets   int       `json:"octets"`        // of the packet
}

// The states of a Line.
const (
	stateWaiting = "waiting"
	stateSending = "sending"
	stateHeld    = "held"
)

// lineOf returns what people see of a record.
func lineOf(k *spool.Kept) Line {
	r := k.Record
	l := Line{Number: k.Number, Arrived: r.Arrived.UTC(), Age: max(0, time.Since(r.Arrived).Seconds()), Client: r.Client, Route: r.Route, State: stateWaiting, Attempts: k.Attempts, Octets: len(r.Packet)}
	if r.Address.IsValid() {
		l.Address = r.Address.String()
	}
	switch {
	case k.Sending:
		l.State = stateSending
	case k.Held:
		l.State = stateHeld
	}
	var v wire.View
	if v.Parse(r.Packet) != nil {
		return l
	}
	l.User, l.NAS = string(v.UserName()), string(v.NASIdentifier())
	for t, value := range v.All() {
		switch radius.Type(t) {
		case rfc2866.AcctSessionID_Type:
			l.Session = string(value)
		case rfc2866.AcctStatusType_Type:
			if len(value) == 4 {
				l.Status = rfc2866.AcctStatusType(binary.BigEndian.Uint32(value)).String()
			}
		case rfc2865.NASIPAddress_Type:
			if l.NAS == "" && len(value) == 4 {
				l.NAS = address(value)
			}
		}
	}
	return l
}
