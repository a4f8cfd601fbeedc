package config

import (
	"slices"
	"time"

	"radsec-gw/config/defaults"
	"radsec-gw/routing"
)

// Route is one [[route]]: which servers answer for which realms.
type Route struct {
	// The realm is what follows the last "@" of the User-Name (realm_formats of [routing] has
	// other forms), ignoring case. The most exact entry wins, wherever it is listed:
	//   "example.org"     this realm
	//   "*.example.org"   every realm below it, the longest suffix first; two labels or more
	//   "~^(nas|ap)[0-9]" a regular expression (RE2); these in file order
	//   "*"               every other realm, and users without one unless "" is given
	//   ""                users without a realm
	// Each realm once for a kind of packet.
	// Required, unless operators is given.
	Realms []string

	// Operator-Names of CoA and Disconnect that are not realms, by namespace (RFC 5580 §4.1):
	// "tadig:", "e212:", "icc:" or "wbaid:" (OpenRoaming), and the name as it is in the
	// attribute, ignoring case, or "*" for all that no other entry matches.
	// "wbaid:EXAMPLE:US" is the attribute "4EXAMPLE:US". An operator's realm,
	// "1example.org", goes into realms.
	// Default: []
	Operators []string

	// The kinds of packets it takes: "access", "accounting", "coa", "disconnect".
	// CoA and Disconnect are routed by Operator-Name (RFC 5580 §4.1), see operators and
	// coa_by_user_name.
	// Default: ["access", "accounting"]
	Packets []string // at least one, no doubles

	// Names of [[server]], in order of preference; each must have the ports. With an empty
	// array, requests of these realms are refused as on_unroutable of [routing] says, for
	// example those of misconfigured devices, which "*" would send on.
	// Required.
	Servers []string // at most 64, no doubles

	// "failover": the first that is up. "least-outstanding": the one with the
	// fewest requests in flight, EAP as "sticky". "sticky": the same station and user
	// to the same server, on every gateway with the same servers; when a server is
	// down, only its own users go elsewhere. Whatever this says, a request with State
	// goes to the server that issued it as long as that is not down.
	// Default: "failover"
	Balance string // one of Balances

	// A request leaves its server at once when that is down or failing, or cannot be
	// reached; otherwise when it was sent this many times and nothing at all was received from
	// the server since: with the default schedule 2 is after about 6s. It is a new request
	// at the next server, within the time of its one schedule, and the first valid reply
	// wins. CoA and Disconnect stay (RFC 5176 §2.3).
	// Default: 2
	MoveOnAfter int // 1..100

	// How long one server may leave a request unanswered while it answers others or its
	// checks, before the request goes to the next server as well; "0s": forever. Where
	// users confirm a login (a push, a call), set it above the time that they have for
	// that, and below retransmit_duration; otherwise two servers ask them.
	// Default: "10s"
	Patience time.Duration

	// The answer to an Access-Request when none of the servers replies: "silent",
	// "reject" (Access-Reject) or "protocol-error" (RFC 7930 §4). Accounting gets the
	// Protocol-Error, too, and nothing with the other two: only its server may acknowledge
	// it, or the gateway once it is stored (spool). In RADIUS/1.1 both always get a
	// Protocol-Error (RFC 9765 §6.1). A server's own Protocol-Error with Error-Cause 502, 505
	// or 506 sends the request to the next server, and to this answer when there is none; one
	// with any other Error-Cause goes back to the client in a Protocol-Error, whatever is set
	// here.
	// Default: "reject"
	OnUnreachable string // one of Answers

	// What becomes of Accounting-Requests: "relay" sends them to the servers; "answer" has
	// the gateway acknowledge them itself, as in eduroam, where accounting is not sent to
	// the federation (RFC 7593 §5). Nothing of it is kept: whoever needs it must record it
	// before it gets here. The servers need no acct_port then, and there may be none.
	// Default: "relay"
	Accounting string // "relay", "answer"

	// Whether Accounting-Requests that no server answers are stored on disk, as [spool] says,
	// acknowledged, and sent to the servers later. The servers come first: a record is stored
	// when none has answered within spool_after, when none can be reached, or when an earlier
	// record of its session is still stored. It is acknowledged once it is safely on disk, and
	// not at all when it cannot be stored. A server may get a record twice, for example when its
	// first answer was late or lost.
	// Default: false
	Spool bool // only with "accounting" in Packets, Accounting "relay" and a server

	// How long the servers have for an answer to an Accounting-Request before the spool takes
	// it over. It must be less than the time after which the client gives up. From "100ms" to
	// "1m". Only with spool = true.
	// Default: "5s"
	SpoolAfter time.Duration // 100ms..1m

	// What becomes of an Access-Request without State that a server rejects: "answer" sends
	// the client the Access-Reject; "next" asks the next server of the route that has not
	// had it, as a new request within the time of its one schedule. The client gets
	// the first Access-Reject when no server is left, or none of the others answers. A wrong
	// password is tried at each server then: accounts may be locked sooner, and the
	// Access-Reject comes later by as long as the others take.
	// Default: "answer"
	OnReject string // "answer", "next"

	// Whether it counts for /readyz (ready_when of [metrics]).
	// Default: true
	Ready bool

	// Names of [[rule]] that change its requests, after those of the client. They
	// are applied in the order of the file.
	// Default: []
	RulesRequest []string // names of rules, no doubles

	// Names of [[rule]] that change the replies to them, after those of the
	// server.
	// Default: []
	RulesReply []string // likewise
}

// Values of Route.Balance.
const (
	BalanceFailover         = "failover"          // the first server that is alive
	BalanceLeastOutstanding = "least-outstanding" // the one with the fewest requests in flight
	BalanceSticky           = "sticky"            // the same user to the same server
)

// Balances returns the values of Route.Balance, the default first.
func Balances() []string {
	return []string{BalanceFailover, BalanceLeastOutstanding, BalanceSticky}
}

// Values of Route.OnUnreachable and Routing.OnUnroutable.
const (
	AnswerSilent        = "silent"
	AnswerReject        = "reject"         // Access-Reject; accounting gets no answer
	AnswerProtocolError = "protocol-error" // Protocol-Error (RFC 7930 §4)
)

// Answers returns the values of Route.OnUnreachable and Routing.OnUnroutable.
func Answers() []string {
	return []string{AnswerSilent, AnswerReject, AnswerProtocolError}
}

// Values of Route.Accounting.
const (
	AccountingRelay  = "relay"  // to the servers
	AccountingAnswer = "answer" // acknowledged by the gateway, and not kept
)

// Values of Route.OnReject.
const (
	RejectAnswer = "answer" // to the client
	RejectNext   = "next"   // the next server is asked
)

// Forwarded returns the kinds of packets that the route sends to its servers: Packets
// without accounting that the gateway answers.
func (r *Route) Forwarded() []string {
	if r.Accounting != AccountingAnswer {
		return r.Packets
	}
	return slices.DeleteFunc(slices.Clone(r.Packets), func(p string) bool { return p == PacketAccounting })
}

// maxRouteServers is how many servers a group of udpback can have.
const maxRouteServers = 64

func defaultRoute() Route {
	return Route{
		Packets:       []string{PacketAccess, PacketAccounting},
		Balance:       BalanceFailover,
		MoveOnAfter:   defaults.MoveOnAfter,
		Patience:      defaults.Patience,
		OnUnreachable: AnswerReject,
		Accounting:    AccountingRelay,
		SpoolAfter:    defaultSpoolAfter,
		OnReject:      RejectAnswer,
		Ready:         true,
	}
}

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
		r.Realms = nil // one is not a string, and the places of the others would be wrong
	}
	if !t.choices("packets", &r.Packets, PacketAccess, PacketAccounting, PacketCoA, PacketDisconnect) && t.has("packets") {
		r.Packets = nil // unknown: mistakes that follow from the default would mislead
	}
	if len(r.Operators) > 0 && r.Packets != nil && !r.dynamic() {
		t.r.wrong(joinKey(t.path, "operators"), "expected \"coa\" or \"disconnect\" in packets: only these are routed by Operator-Name (RFC 8559 §2.1)")
	}
	t.require("servers", "names of [[server]] in order of preference")
	t.texts("servers", func(path, s string) {
		if slices.Contains(r.Servers, s) {
			t.r.wrong(path, "%q is listed twice: remove one", s)
		}
		r.Servers = append(r.Servers, s)
	})
	if len(r.Servers) > maxRouteServers {
		t.r.wrong(joinKey(t.path, "servers"), "expected at most %d servers, got %d", maxRouteServers, len(r.Servers))
	}
	t.choice("balance", &r.Balance, Balances()...)
	t.number("move_on_after", &r.MoveOnAfter, 1, 100)
	t.duration("patience", &r.Patience, "forever")
	t.choice("on_unreachable", &r.OnUnreachable, Answers()...)
	r.readAnswers(t)
	r.readSpooling(t)
	t.flag("ready", &r.Ready)
	readRuleNames(t, "rules_request", &r.RulesRequest)
	readRuleNames(t, "rules_reply", &r.RulesReply)
	t.done()
	return r
}

// readAnswers reads which requests the gateway answers otherwise than by passing on the
// first reply of a server.
func (r *Route) readAnswers(t *table) {
	t.choice("accounting", &r.Accounting, AccountingRelay, AccountingAnswer)
	if r.Accounting == AccountingAnswer && r.Packets != nil && !slices.Contains(r.Packets, PacketAccounting) {
		t.r.wrong(joinKey(t.path, "accounting"), "expected \"accounting\" in packets, got %q: the route takes no accounting that could be answered; add it, or remove this key", r.Packets)
	}
	t.choice("on_reject", &r.OnReject, RejectAnswer, RejectNext)
	if r.OnReject == RejectNext && r.Packets != nil && !slices.Contains(r.Packets, PacketAccess) {
		t.r.wrong(joinKey(t.path, "on_reject"), "expected \"access\" in packets, got %q: no other request is rejected; add it, or remove this key", r.Packets)
	}
}

// checkRealms notes realms that two routes have for the same kind of packet.
func checkRealms(r *reader, tables []*table, routes []Route) {
	first := map[string]string{}
	for i, t := range tables {
		for j, realm := range routes[i].Realms {
			at := joinIndex(joinKey(t.path, "realms"), j)
			for _, packet := range routes[i].Packets {
				key := packet + " " + routing.Key(realm)
				if earlier, ok := first[key]; ok {
					r.wrong(at, "%q is already routed by %s for %q packets: expected each realm once for a kind of packet",
						routes[i].Realms[j], r.places.where(earlier, at), packet)
					break
				}
				first[key] = at
			}
		}
	}
}
