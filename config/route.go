package config

import (
	"radsec-gw/routing"
	"slices"
	"strings"
)

// maxRouteServers is how many servers udpback chooses among: a bit each of 64.
const maxRouteServers = 64

// readRoute reads one [[route]]; what it refers to is checked later.
func readRoute(t *table) Route {
	r := defaultRoute()
	t.texts("operators", func(_, s string) { r.Operators = append(r.Operators, s) })
	if len(r.Operators) == 0 {
		t.require("realms", `realms such as ["example.org"], ["*.example.org"], [""] (no realm) or ["*"] (default)`)
	}
	given := t.texts("realms", func(path, s string) {
		if err := routing.CheckRealm(s); err != nil {
			t.r.wrong(path, "%v", err)
		}
		r.Realms = append(r.Realms, s)
	})
	switch list, _ := t.values["realms"].([]any); {
	case given && len(list) == 0 && len(r.Operators) == 0:
		t.r.wrong(joinKey(t.path, "realms"), "expected at least one realm, got an empty array")
	case len(list) != len(r.Realms):
		r.Realms = nil // one is no string, and the places of the others would be wrong
	}
	if !t.choices("packets", &r.Packets, PacketAccess, PacketAccounting, PacketCoA, PacketDisconnect) && t.has("packets") {
		r.Packets = nil // unknown: mistakes that follow from the default would mislead
	}
	if len(r.Operators) > 0 && r.Packets != nil && !r.dynamic() {
		t.r.wrong(joinKey(t.path, "operators"), "expected \"coa\" or \"disconnect\" in packets: only these are routed by Operator-Name (RFC 8559 §2.1)")
	}
	t.require("servers", "names of [[server]] in order of preference")
	given = t.texts("servers", func(path, s string) {
		if slices.Contains(r.Servers, s) {
			t.r.wrong(path, "%q is listed twice: remove one", s)
		}
		r.Servers = append(r.Servers, s)
	})
	if given && len(t.values["servers"].([]any)) == 0 {
		t.r.wrong(joinKey(t.path, "servers"), "expected the name of at least one [[server]], got an empty array")
	}
	if len(r.Servers) > maxRouteServers {
		t.r.wrong(joinKey(t.path, "servers"), "expected at most %d servers, got %d", maxRouteServers, len(r.Servers))
	}
	t.choice("balance", &r.Balance, BalanceFailover, BalanceLeastOutstanding, BalanceSticky)
	t.number("move_on_after", &r.MoveOnAfter, 1, 100)
	t.duration("patience", &r.Patience, "for ever")
	t.choice("on_unreachable", &r.OnUnreachable, AnswerSilent, AnswerReject, AnswerProtocolError)
	t.done()
	return r
}

// readRouting reads [routing].
func readRouting(t *table) Routing {
	r := defaultRouting()
	t.choices("realm_formats", &r.RealmFormats, FormatSuffix, FormatPrefix, FormatMachine)
	t.flag("loop_marker", &r.LoopMarker)
	t.secret("loop_marker_secret", &r.LoopMarkerSecret, false)
	t.choice("on_unroutable", &r.OnUnroutable, AnswerSilent, AnswerReject, AnswerProtocolError)
	t.flag("coa_by_user_name", &r.CoAByUserName)
	t.duration("event_timestamp_window", &r.EventTimestampWindow, "not looked at")
	t.flag("require_event_timestamp", &r.RequireEventTimestamp)
	t.choice("reply_event_timestamp", &r.ReplyEventTimestamp, ReplyAccept, ReplyDrop)
	t.done()
	return r
}

// checkRealms notes realms that two routes claim for the same kind of packet:
// only one of them could ever be asked.
func checkRealms(r *reader, tables []*table, routes []Route) {
	first := map[string]string{}
	for i, t := range tables {
		for j, realm := range routes[i].Realms {
			at := joinIndex(joinKey(t.path, "realms"), j)
			if !strings.HasPrefix(realm, "~") {
				realm = strings.ToLower(realm)
			}
			for _, packet := range routes[i].Packets {
				key := packet + " " + realm
				if earlier, ok := first[key]; ok {
					r.wrong(at, "%q is routed by line %d already for %q packets: expected each realm once for a kind of packet",
						routes[i].Realms[j], r.places.line(earlier), packet)
					break
				}
				first[key] = at
			}
		}
	}
}
