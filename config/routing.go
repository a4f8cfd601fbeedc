package config

import "time"

// Routing is [routing]: settings for all routes.
type Routing struct {
	// The forms of a User-Name that has a realm; the first that matches counts:
	//   "suffix"    user@realm, after the last "@"
	//   "prefix"    REALM\user, before the first "\", as Windows writes a domain
	//   "machine"   host/name.realm, after the first dot, the name of a Windows machine
	// The request log, F-Ticks and radsec-gw tap -realm use the same realm. The User-Name
	// itself is changed by [[rule]] only.
	// Default: ["suffix"]
	RealmFormats []string // of RealmFormats; at least one

	// Whether loops are detected. Each request gets a Proxy-State of the gateway's own on
	// its way to a server (never a check); one that is received with it is refused with
	// Error-Cause 502 as on_unreachable says, counted under the fate loop, and the log
	// names the server that it was sent to. If it does not fit into the 4096 bytes of a
	// request it is omitted, which is logged and counted in
	// radsec_gw_omitted_attributes_total{reason="loop_marker"}. Set false for old servers
	// that cannot take a Proxy-State, or that hand requests back on purpose, under another
	// realm.
	// Default: true
	LoopMarker bool

	// The gateway's name in that Proxy-State is derived from this secret, so that replicas
	// with the same secret detect each other's loops. Make it long and random, as with
	// "openssl rand -hex 32": the servers see what is derived from it, and could guess a
	// word. Never give it to two gateways one of which relays to the other. At most one of
	// loop_marker_secret, loop_marker_secret_file and loop_marker_secret_env.
	// Default: random bytes of each start
	LoopMarkerSecret Secret // may be empty

	// The answer to an Access-Request that no route matches, or that the client may
	// not send: "silent", "reject" or "protocol-error". Accounting gets the Protocol-Error,
	// too, and nothing with the other two; CoA and Disconnect always get a NAK. In RADIUS/1.1
	// Access and accounting always get a Protocol-Error.
	// Default: "reject"
	OnUnroutable string // one of Answers

	// Whether CoA and Disconnect without Operator-Name are routed by the realm of the
	// User-Name.
	// Default: true
	CoAByUserName bool

	// How far the Event-Timestamp of a CoA or Disconnect may be from now, either way;
	// beyond it the request is dropped (RFC 5176 §6.3); for its answer see
	// reply_event_timestamp. It holds for what clients send to servers, and for what is sent to
	// [dynamic_authorization]; a request that arrives there again within this time is a
	// duplicate of the first, and gets the same answer. "0s": not checked, and duplicates are
	// recognized for 300 s.
	// Default: "300s"
	EventTimestampWindow time.Duration

	// Whether CoA and Disconnect without an Event-Timestamp are dropped, of clients and of
	// those who send to [dynamic_authorization].
	// Default: false
	RequireEventTimestamp bool

	// Whether an answer to CoA or Disconnect whose Event-Timestamp is outside
	// event_timestamp_window is passed on ("accept") or dropped ("drop", RFC 5176 §6.3), from
	// a server as from a client with reverse_coa = true. Both are logged as warnings. The NAS
	// has acted by then: the sender of a request whose answer is dropped does not learn that.
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
	ReplyAccept = "accept" // passed on, with a warning
	ReplyDrop   = "drop"   // dropped, with a warning
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
