// Package audit reports the outcome of individual requests: a line for each, the
// statistics of a roaming federation, and live packets.
//
// Callers that handle packets ask [Hub.Listening] first, which is one atomic load, and
// make an [Event] only when it is true. Nothing here blocks them: lines go into the
// bounded queue of package logs, those for a syslog server into a queue of their own,
// packets into a bounded queue for each tap; what does not fit is dropped and counted.
//
// Lines hold no secrets and no passwords: of a packet they show the names of the user
// and the station, as configured, and nothing else. A tap masks every value that is
// hidden under a secret, and those that are secrets by themselves.
//
// The files in the order in which to read them:
//
//	config.go     what is reported, and how
//	event.go      the event, and the hub that passes it on
//	request.go    a line for each request
//	step.go       what happens between the gateway and its servers
//	debug.go      the way of a request, at level debug
//	privacy.go    how users and stations are shown
//	hash.go       what is shown of one user or station
//	fticks.go     F-Ticks, the statistics of a federation
//	syslog.go     F-Ticks to a syslog server
//	tap.go        filters, and a tap's queue
//	tapsocket.go  the socket to which subscribers of taps connect
//	pcapng.go     packets in the form that Wireshark reads
//	mask.go       a packet without what may help to a secret
//	decode.go     a packet as text
//	value.go      an attribute's value as text, or masked
//	eap.go        the header of an EAP packet as text
package audit
