package interop

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"

	"radsec-gw/interop/testbed"
	"radsec-gw/probe"
)

// dynamicRequest is a CoA-Request or Disconnect-Request, and how FreeRADIUS, which is the NAS, answers it.
type dynamicRequest struct {
	name       string
	kind       probe.Kind
	user       string
	attributes []string // further ones, Name=value with names and numbers of the documents
	reply      string
	inReply    []string // Name = number; the programs write some of the numbers as names
}

func dynamicRequests() []dynamicRequest {
	return []dynamicRequest{
		{"CoA", probe.CoA, "bob", nil, "CoA-ACK", nil},
		{"CoA that the NAS refuses", probe.CoA, "nak-me", nil, "CoA-NAK", []string{"Error-Cause = 503"}},
		{"CoA whose answer the NAS signs", probe.CoA, "sign-me", nil, "CoA-ACK", nil},
		{"CoA with an Event-Timestamp of now", probe.CoA, "bob", []string{eventTimestamp(0)}, "CoA-ACK", nil},
		{"CoA with an Event-Timestamp inside of the window", probe.CoA, "bob", []string{eventTimestamp(-200 * time.Second)}, "CoA-ACK", nil},
		{"CoA whose answer is from another time", probe.CoA, "old-clock", nil, "CoA-ACK", []string{"Event-Timestamp = 2020-01-01T00:00:00Z"}},
		{"CoA with Authorize-Only and State", probe.CoA, "bob", []string{"Service-Type=17", "State=0x0badc0de"}, "CoA-NAK",
			[]string{"Error-Cause = 507", "State = 0x0badc0de", "Service-Type = 17"}},
		{"CoA with Authorize-Only without State", probe.CoA, "bob", []string{"Service-Type=17"}, "CoA-NAK", nil},
		{"Disconnect", probe.Disconnect, "bob", nil, "Disconnect-ACK", nil},
		{"Disconnect that the NAS refuses", probe.Disconnect, "nak-me", nil, "Disconnect-NAK", []string{"Error-Cause = 503"}},
		{"Disconnect whose answer the NAS signs", probe.Disconnect, "sign-me", nil, "Disconnect-ACK", nil},
		{"Disconnect with an Event-Timestamp of now", probe.Disconnect, "bob", []string{eventTimestamp(0)}, "Disconnect-ACK", nil},
	}
}

func eventTimestamp(fromNow time.Duration) string {
	return fmt.Sprintf("Event-Timestamp=%d", time.Now().Add(fromNow).Unix())
}

// probe → gateway → FreeRADIUS's CoA port, which has a secret of its own.
// Rules: P18, P52, P91, P92, C5
func TestCoAAndDisconnect(t *testing.T) {
	for _, c := range dynamicRequests() {
		status, first := 1, "received "
		if strings.HasSuffix(c.reply, "-ACK") {
			status, first = 0, "verified "
		}
		want := append([]string{first + c.reply}, c.inReply...)
		cfg := probe.Config{Kind: c.kind, User: c.user, Attributes: c.attributes}
		for version, proof := range provenBy {
			t.Run(c.name+", RADIUS "+version, func(t *testing.T) {
				cfg.Version = version
				expect(t, shared.probe(cfg), status, slices.Concat(want, proof)...)
			})
		}
		t.Run(c.name+" without Message-Authenticator", func(t *testing.T) {
			unsigned := cfg
			unsigned.Version, unsigned.NoMessageAuthenticator = "", true
			expect(t, shared.probe(unsigned), status, append(want, "Response Authenticator: verified")...)
		})
	}
}

// A request from another time reaches no NAS and gets no answer.
// Rules: P91
func TestCoAOutsideOfTheWindow(t *testing.T) {
	for _, kind := range []probe.Kind{probe.CoA, probe.Disconnect} {
		for _, away := range []time.Duration{-time.Hour, time.Hour} {
			t.Run(fmt.Sprintf("%s, %v", kind, away), func(t *testing.T) {
				series := fmt.Sprintf(`radsec_gw_requests_total{client="interop",fate="stale_event_timestamp",kind=%q}`, kind)
				before := shared.counters(t)[series]
				ctx, stop := context.WithCancel(t.Context())
				defer stop()
				asked := make(chan testbed.Result, 1)
				go func() {
					asked <- probeUntil(ctx, shared.ports.radsec, shared.path("certs"),
						probe.Config{Kind: kind, User: "bob", Version: "1.0", Attributes: []string{eventTimestamp(away)}, Timeout: patience})
				}()
				awaitGrowth(t, series, before, func() float64 { return shared.counters(t)[series] })
				stop()
				if printed := (<-asked).Output; strings.Contains(printed, "ACK") || strings.Contains(printed, "NAK") {
					t.Errorf("expected no answer, got:\n%s", printed)
				}
			})
		}
	}
}

// radclient → FreeRADIUS as proxy → gateway → FreeRADIUS: it proxies CoA over TLS where its policy
// names a Home-Server-Pool of type coa.
//
// A signed request is sent by a client of our own, because FreeRADIUS 3.2.1 signs its answers over zero
// octets, which its own radclient refuses. It verifies the gateway's over the request's authenticator,
// as the documents have it.
// Rules: P18, P30, P52, P92
func TestCoAThroughFreeRADIUS(t *testing.T) {
	var p bedPorts
	if err := p.choose(); err != nil {
		t.Fatal(err)
	}
	c := freeradiusConfig{CoA: p.coa, RadSec: shared.ports.radsec, Certs: shared.path("certs"), NASSecret: nasSecret,
		MinTLS: "1.2", MaxTLS: "1.3", Dir: t.TempDir()}
	client, err := c.start()
	stopAtEnd(t, client)
	if err != nil {
		t.Fatal(err)
	}
	n := nas{coa: p.coa, printed: client.Printed}
	names := strings.NewReplacer("= 503", "= Session-Context-Not-Found", "= 507", "= Request-Initiated", "= 17", "= Authorize-Only",
		"2020-01-01T00:00:00Z", `"Jan  1 2020 00:00:00 UTC"`)
	for _, c := range dynamicRequests() {
		if slices.Contains(c.attributes, "Service-Type=17") && len(c.inReply) == 0 {
			continue // the proxy refuses it itself
		}
		t.Run(c.name, func(t *testing.T) {
			status := 1
			if strings.HasSuffix(c.reply, "-ACK") {
				status = 0
			}
			want := []string{"Received " + c.reply}
			for _, a := range c.inReply {
				want = append(want, names.Replace(a))
			}
			expect(t, n.radclient(string(c.kind), lines(append([]string{"User-Name=" + c.user}, c.attributes...)...)), status, want...)
		})
	}
	for _, code := range []radius.Code{radius.CodeCoARequest, radius.CodeDisconnectRequest} {
		t.Run(code.String()+" with a Message-Authenticator", func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			reply, err := radius.Exchange(ctx, signedDynamicRequest(t, code), fmt.Sprintf("127.0.0.1:%d", n.coa))
			if err != nil {
				t.Fatalf("expected an answer, got %v; FreeRADIUS printed:\n%s", err, client.Printed())
			}
			if reply.Code != code+1 {
				t.Errorf("expected %v, got %v", code+1, reply.Code)
			}
		})
	}
}

// signedDynamicRequest has a Message-Authenticator over zero octets (RFC 5176 §3.4).
func signedDynamicRequest(t *testing.T, code radius.Code) *radius.Packet {
	t.Helper()
	p := radius.New(code, []byte(nasSecret))
	if err := rfc2865.UserName_SetString(p, "bob"); err != nil {
		t.Fatal(err)
	}
	probe.AddMessageAuthenticator(p)
	if _, err := probe.Sign(p); err != nil {
		t.Fatal(err)
	}
	return p
}
