package probe

import (
	"fmt"

	"radsec-gw/wire/dict"
)

// errorCauseText returns an Error-Cause (RFC 5176 §3.6) with its name, and where there is more to
// say, what it means to a client of the gateway.
func errorCauseText(a *dict.Attribute, cause uint32) string {
	name := a.ValueName(cause)
	if name == "" {
		name = "unknown cause"
	}
	if meaning := errorCauseMeanings[cause]; meaning != "" {
		name += ": " + meaning
	}
	return fmt.Sprintf("%d (%s)", cause, name)
}

var errorCauseMeanings = map[uint32]string{
	201: "the session no longer exists",
	401: "the server cannot act on an attribute of the request",
	402: "the request lacks an attribute that the server needs",
	403: "the request is meant for another NAS, or names one NAS and the session of another",
	406: "requests of this kind are not allowed or not supported here",
	501: "the server's policy refused it",
	502: "no route matches this realm and kind of request; of CoA and Disconnect sent by UDP, no connected NAS is the one that it names",
	503: "there is no such session",
	505: "no server gave a valid answer in time, or none could be reached: the gateway's log says why, and radsec-gw probe -server NAME beside it asks the server itself",
	506: "try again later",
	601: "the reply does not fit into 4096 octets",
}
