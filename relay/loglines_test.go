package relay

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"radsec-gw/routing"
	"radsec-gw/udpback"
	"radsec-gw/wire"
)

// logLineRow is a request that is logged: the level, a part of the text, and every field, in
// order.
type logLineRow struct {
	name    string
	q       []byte
	arrange func(b *bed)
	serve   func(s []byte) [][]byte
	end     func(b *bed, conn *Connection, q []byte)

	level, text, fields string
}

const campus = "client=campus connection=192.0.2.1:1024 " // begins the fields of a line

// logLineRows has each line of the log, and each of its texts.
var logLineRows = []logLineRow{
	{name: "no route", q: makeRequest(1, 1, 1, user("nemo@elsewhere.example")),
		level: "WARN", text: `add a [[route]] for its realm`, fields: campus + "kind=access realm=elsewhere.example"},
	{name: "no route, in another form", q: makeRequest(1, 1, 1, user(`ELSEWHERE\nemo`)), arrange: (*bed).allFormats,
		level: "WARN", text: `add a [[route]] for its realm`, fields: campus + "kind=access realm=ELSEWHERE"},
	{name: "no route for CoA by User-Name", q: makeRequest(43, 1, 1, user("nemo@elsewhere.example")),
		level: "WARN", text: `add a [[route]] for its realm`, fields: campus + "kind=coa realm=elsewhere.example"},
	{name: "access with an Operator-Name", q: makeRequest(1, 1, 1, user("nemo@elsewhere.example"), text(126, "4X:US")),
		level: "WARN", text: `add a [[route]] for its realm`, fields: campus + "kind=access realm=elsewhere.example"},
	{name: "no route for the operator's realm", q: makeRequest(43, 1, 1, nemo, text(126, "1elsewhere.example")),
		level: "WARN", text: `its Operator-Name names a realm`, fields: campus + "kind=coa realm=elsewhere.example"},
	{name: "no route for the operator", q: makeRequest(40, 1, 1, nemo, text(126, "4EXAMPLE:US")),
		level: "WARN", text: `its Operator-Name is not a realm`, fields: campus + "kind=disconnect operator=wbaid:EXAMPLE:US"},
	{name: "no operator at all", q: makeRequest(43, 1, 1, nemo, text(126, "example")),
		level: "WARN", text: `expected to begin with a namespace`, fields: campus + "kind=coa operator_name=example"},
	{name: "a realm that the client may not send", q: makeRequest(4, 1, 1, nemo),
		arrange: (*bed).someRealms,
		level:   "WARN", text: `not among its realms`, fields: campus + "kind=accounting realm=example.org"},
	{name: "no realm, and the client may send some only", q: makeRequest(1, 1, 1, user("nemo")), arrange: (*bed).someRealms,
		level: "WARN", text: `sent a request without a realm; add \"\" to realms`, fields: campus + "kind=access"},
	{name: "an operator that the client may not send", q: makeRequest(43, 1, 1, nemo, text(126, "4EXAMPLE:US")), arrange: (*bed).someRealms,
		level: "WARN", text: `add it to operators of its [[client]]`, fields: campus + "kind=coa operator=wbaid:EXAMPLE:US"},
	{name: "an operator's realm that the client may not send", q: makeRequest(43, 1, 1, nemo, text(126, "1elsewhere.example")), arrange: (*bed).someRealms,
		level: "WARN", text: `not among its realms`, fields: campus + "kind=coa realm=elsewhere.example"},
	{name: "no operator at all, and the client may send some realms only", q: makeRequest(40, 1, 1, nemo, text(126, "example")), arrange: (*bed).someRealms,
		level: "WARN", text: `has no known namespace`, fields: campus + "kind=disconnect operator_name=example"},
	{name: "by a User-Name that the client may not send", q: makeRequest(40, 1, 1, nemo), arrange: (*bed).someRealms,
		level: "WARN", text: `not among its realms`, fields: campus + "kind=disconnect realm=example.org"},
	{name: "by no User-Name, which the client may not send", q: makeRequest(43, 1, 1), arrange: (*bed).someRealms,
		level: "WARN", text: `sent a request without a realm; add \"\" to realms`, fields: campus + "kind=coa"},
	{name: "no Operator-Name where it is needed, and the client may send some realms only", q: makeRequest(40, 1, 1, nemo),
		arrange: func(b *bed) { b.someRealms(); b.operatorsOnly() }, level: "WARN", text: `set coa_by_user_name = true`, fields: campus + "kind=disconnect"},
	{name: "no Operator-Name where it is needed", q: makeRequest(43, 1, 1, nemo), arrange: (*bed).operatorsOnly,
		level: "WARN", text: `its sender must add one, or set coa_by_user_name = true`, fields: campus + "kind=coa"},
	{name: "a loop", q: makeRequest(1, 1, 1, user(`EXAMPLE\nemo`), attr{33, NewMarker(MarkerKey{1}, nil).append(nil, new(wire.View), udpback.ServerID("a"))}),
		arrange: func(b *bed) {
			b.allFormats()
			b.rules.Marker = NewMarker(MarkerKey{1}, []string{"a"})
		},
		level: "WARN", text: `a request has returned that this gateway sent to a server before`, fields: "server=a " + campus + "kind=access realm=EXAMPLE"},
	{name: "a loop of a server that is not here", q: makeRequest(1, 1, 1, nemo, attr{33, NewMarker(MarkerKey{1}, nil).append(nil, new(wire.View), 0xabcdef12)}),
		arrange: func(b *bed) { b.rules.Marker = NewMarker(MarkerKey{1}, []string{"a"}) },
		level:   "WARN", text: `a request has returned`, fields: `server="one that this gateway does not have, number abcdef12" ` + campus + "kind=access realm=example.org"},
	{name: "a way that is too long", q: makeRequest(1, 1, 1, nemo, attr{33, markerOf(strings.Repeat("123456781234", markerMax))}),
		arrange: func(b *bed) { b.rules.Marker = NewMarker(MarkerKey{1}, []string{"a"}) },
		level:   "WARN", text: `passed too many gateways`, fields: campus + "kind=access realm=example.org"},
	{name: "no NAS", q: makeRequest(43, 1, 1, nemo, text(32, "ap-3"), integer(4, 0xc0000207), operatorNAS("ap-4")),
		arrange: func(b *bed) { b.rules.Routes[0].NASes = NewNASes([]NAS{{Group: b.rules.Routes[0].Group}}, nil) },
		level:   "WARN", text: `names no NAS of its route`, fields: campus + "kind=coa nas_identifier=ap-3 nas_ip_address=192.0.2.7 operator_nas_identifier=ap-4"},
	{name: "no NAS by an address that is not one", q: makeRequest(43, 1, 1, nemo, text(4, "ap")),
		arrange: func(b *bed) { b.rules.Routes[0].NASes = NewNASes([]NAS{{Group: b.rules.Routes[0].Group}}, nil) },
		level:   "WARN", text: `names no NAS of its route`, fields: campus + `kind=coa nas_identifier="" nas_ip_address="" operator_nas_identifier=""`},
	{name: "no Identifier", q: makeRequest(1, 1, 1, nemo), end: handOver(udpback.ErrNoIdentifier),
		level: "ERROR", text: `max_sockets is too low`, fields: `error="` + udpback.ErrNoIdentifier.Error() + `" client=campus kind=access`},
	{name: "all servers are in maintenance", q: makeRequest(4, 1, 1, nemo), end: handOver(udpback.ErrMaintenance),
		level: "ERROR", text: `every server for this request is in maintenance`, fields: `client=campus kind=accounting`},
	{name: "a reply that is lost", q: makeRequest(1, 1, 1, nemo), serve: func(s []byte) [][]byte { return accept(s, fill(200, 4096-20)...) },
		level: "ERROR", text: `a server's reply cannot be passed on`, fields: "client=campus connection=192.0.2.1:1024 server=a kind=access" + ` error="` + wire.ErrTooLong.Error() + `"`},
	{name: "an old request", q: makeRequest(43, 1, 1, nemo, integer(55, 1)), arrange: func(b *bed) { b.rules.Timestamps.Window = time.Minute },
		level: "WARN", text: `it is outside event_timestamp_window`, fields: campus + "kind=coa event_timestamp=1970-01-01T00:00:01Z now=2000-01-01T00:00:00Z window=1m0s"},
	{name: "a request without its age", q: makeRequest(43, 1, 1, nemo), arrange: func(b *bed) { b.rules.Timestamps.Require = true },
		level: "WARN", text: `it has no Event-Timestamp`, fields: campus + "kind=coa"},
	{name: "a wrong path", q: makeRequest(40, 1, 1, user("n@elsewhere.example")), arrange: func(b *bed) { b.client.ReversePath = ReversePathNAK },
		level: "WARN", text: `failed the reverse-path check`, fields: campus + "kind=disconnect"},
}

// A problem that an operator must act on is logged once, with everything needed to find it.
func TestLogLines(t *testing.T) {
	for _, row := range logLineRows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, settings{policy: strict})
				if row.arrange != nil {
					row.arrange(b)
				}
				b.net.setServe(row.serve)
				conn, _ := b.open()
				if row.end != nil {
					row.end(b, conn, row.q)
				} else {
					b.send(conn, row.q)
				}
				_, line, _ := strings.Cut(b.log.String(), " ")
				if !strings.HasPrefix(line, "level="+row.level+" msg=") || !strings.Contains(line, row.text) || !strings.HasSuffix(line, `" `+row.fields+"\n") || strings.Count(line, "\n") != 1 {
					t.Errorf("the log has %q, expected one line of level %s, %q and the fields %q", line, row.level, row.text, row.fields)
				}
			})
		})
	}
}

// operatorsOnly makes the bed route CoA and Disconnect by Operator-Name only.
func (b *bed) operatorsOnly() {
	b.rules.Table = must(routing.New([]routing.Rule{{Realms: []string{"*"}, Kinds: []wire.Kind{wire.KindCoA, wire.KindDisconnect}}}, routing.Options{}))
}

// someRealms lets the client send one realm only.
func (b *bed) someRealms() {
	b.client.Realms = must(routing.NewFilter([]string{"campus.example"}, nil, routing.Options{}))
}
