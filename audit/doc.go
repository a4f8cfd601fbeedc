// Package audit tells people what became of single requests: a line for each
// (request.go), the statistics of a roaming federation (fticks.go), and a look
// at live packets (tap.go, tapsocket.go, decode.go).
//
// Whoever carries packets asks [Hub.Listening] first, which is one atomic load,
// and makes an [Event] only when somebody listens. Nothing here makes it wait:
// lines go into the bounded queue of package logs, and for a syslog server into
// one of its own (syslog.go), packets into a bounded queue for each tap; what
// does not fit is dropped and counted.
//
// Lines hold no secret and no password: of a packet they show the names of the
// user and the station, as configured (privacy.go), and nothing else. A tap
// masks every value that is hidden under a secret, and those that are secrets
// by themselves.
package audit
