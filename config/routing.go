package config

import "time"

// Routing is [routing]: what holds for all routes.
type Routing struct {
	// Where the realm of a User-Name is looked for; the first form that finds one counts:
	//   "suffix"    user@realm, after the last "@"
	//   "prefix"    REALM\user, before the first "\", as Windows writes a domain
	//   "machine"   host/name.realm, after the first dot, as Windows machines are called
	// The request log, F-Ticks and radsec-gw tap -realm have the realm that is found so.
	// The User-Name itself is never changed.
	// Default: ["suffix"]
	RealmFormats []string // of RealmFormats; at least one

	// Find loops? Each request gets a Proxy-State of the gateway's own on its way to a server
	// (never a probe); one that comes back with it is refused with Error-Cause 502 as
	// on_unreachable says, counted under the fate loop, and the log names the server that it
	// was sent to. A request in whose 4096 bytes it does not fit goes without, is warned of,
	// and counted in radsec_gw_omitted_attributes_total{reason="loop_marker"}. Set false for
	// old servers that cannot take a Proxy-State, or that hand requests back on purpose, under
	// another realm.
	// Default: true
	LoopMarker bool

	// What the gateway is called in that Proxy-State is made from this, so that replicas with
	// the same secret find each other's loops. Make it long and random, as with "openssl rand
	// -hex 32": the servers see what it makes, and could guess a word. Never give it to two
	// gateways one of which relays to the other. At most one of loop_marker_secret,
	// loop_marker_secret_file and loop_marker_secret_env.
	// Default: random bytes of each start
	LoopMarkerSecret Secret // may be empty

	// The answer to an Access-Request that no route takes, or that the client may
	// not send: "silent", "reject" or "protocol-error". Accounting gets the Protocol-Error,
	// too, and nothing with the other two; CoA and Disconnect always get a NAK. In RADIUS/1.1
	// Access and accounting always get a Protocol-Error.
	// Default: "reject"
	OnUnroutable string // one of Answers

	// Route CoA and Disconnect that have no Operator-Name by the realm of the
	// User-Name?
	// Default: true
	CoAByUserName bool

	// How far the Event-Timestamp of a CoA or Disconnect may be from now, either way;
	// beyond it the request is dropped (RFC 5176 §6.3); for its answer see
	// reply_event_timestamp. "0s": not checked.
	// Default: "300s"
	EventTimestampWindow time.Duration

	// Drop CoA and Disconnect without an Event-Timestamp?
	// Default: false
	RequireEventTimestamp bool

	// What becomes of an answer to CoA or Disconnect whose Event-Timestamp is beyond
	// event_timestamp_window: "accept", it is passed on, or "drop" (RFC 5176 §6.3).
	// Either is warned of in the log. The NAS has acted by then: the sender of a
	// request whose answer is dropped does not learn it.
	// Default: "accept"
	ReplyEventTimestamp string // ReplyAccept, ReplyDrop
}

// Values of Routing.RealmFormats.
const (
	FormatSuffix  = "suffix"  // user@realm
	FormatPrefix  = "prefix"  // REALM\user
	FormatMachine = "machine" // host/name.realm
)

// RealmFormats returns the values of Routing.RealmFormats.
func RealmFormats() []string {
	return []string{FormatSuffix, FormatPrefix, FormatMachine}
}

// Values of Routing.ReplyEventTimestamp.
const (
	ReplyAccept = "accept" // passed on, and warned of
	ReplyDrop   = "drop"   // and warned of
)

func defaultRouting() Routing {
	return Routing{RealmFormats: []string{FormatSuffix}, LoopMarker: true, OnUnroutable: AnswerReject, CoAByUserName: true, EventTimestampWindow: 300 * time.Second, ReplyEventTimestamp: ReplyAccept}
}

// readRouting reads [routing].
func readRouting(t *table) Routing {
	r := defaultRouting()
	t.choices("realm_formats", &r.RealmFormats, RealmFormats()...)
	t.flag("loop_marker", &r.LoopMarker)
	t.secret("loop_marker_secret", &r.LoopMarkerSecret, false)
	t.choice("on_unroutable", &r.OnUnroutable, Answers()...)
	t.flag("coa_by_user_name", &r.CoAByUserName)
	t.duration("event_timestamp_window", &r.EventTimestampWindow, "not checked")
	t.flag("require_event_timestamp", &r.RequireEventTimestamp)
	t.choice("reply_event_timestamp", &r.ReplyEventTimestamp, ReplyAccept, ReplyDrop)
	t.done()
	return r
}
