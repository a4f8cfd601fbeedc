package interop

import (
	"context"
	"crypto/hmac"
	"crypto/md5"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"radsec-gw/interop/testbed"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2869"
)

// dynamicRequest is a CoA-Request or Disconnect-Request, and what FreeRADIUS, which is the NAS, makes
// of it.
type dynamicRequest struct {
	name, kind, user string
	attributes       []string // further ones, Name=value with names and numbers of the documents
	reply            string
	inReply          []string // Name = number; the programs write some of the numbers as names
}

func dynamicRequests() []dynamicRequest {
	return []dynamicRequest{
		{"CoA", "coa", "bob", nil, "CoA-ACK", nil},
		{"CoA that the NAS refuses", "coa", "nak-me", nil, "CoA-NAK", []string{"Error-Cause = 503"}},
		{"CoA whose answer the NAS signs", "coa", "sign-me", nil, "CoA-ACK", nil},
		{"CoA with an Event-Timestamp of now", "coa", "bob", []string{eventTimestamp(0)}, "CoA-ACK", nil},
		{"CoA with an Event-Timestamp inside of the window", "coa", "bob", []string{eventTimestamp(-200 * time.Second)}, "CoA-ACK", nil},
		{"CoA whose answer is from another time", "coa", "old-clock", nil, "CoA-ACK", []string{"Event-Timestamp = 2020-01-01T00:00:00Z"}},
		{"CoA with Authorize-Only and State", "coa", "bob", []string{"Service-Type=17", "State=0x0badc0de"}, "CoA-NAK",
			[]string{"Error-Cause = 507", "State = 0x0badc0de", "Service-Type = 17"}},
		{"CoA with Authorize-Only without State", "coa", "bob", []string{"Service-Type=17"}, "CoA-NAK", nil},
		{"Disconnect", "disconnect", "bob", nil, "Disconnect-ACK", nil},
		{"Disconnect that the NAS refuses", "disconnect", "nak-me", nil, "Disconnect-NAK", []string{"Error-Cause = 503"}},
		{"Disconnect whose answer the NAS signs", "disconnect", "sign-me", nil, "Disconnect-ACK", nil},
		{"Disconnect with an Event-Timestamp of now", "disconnect", "bob", []string{eventTimestamp(0)}, "Disconnect-ACK", nil},
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
		args := []string{"-user", c.user}
		for _, a := range c.attributes {
			args = append(args, "-attr", a)
		}
		for version, proof := range provenBy {
			t.Run(c.name+", RADIUS "+version, func(t *testing.T) {
				r := shared.probe(c.kind, append(args, "-radius-version", version)...)
				expect(t, r, status, slices.Concat(want, proof)...)
			})
		}
		t.Run(c.name+" without Message-Authenticator", func(t *testing.T) {
			r := shared.probe(c.kind, append(args, "-no-message-authenticator")...)
			expect(t, r, status, append(want, "Response Authenticator: verified")...)
		})
	}
}

// A request from another time reaches no NAS and has no answer.
// Rules: P91
func TestCoAOutsideOfTheWindow(t *testing.T) {
	for _, kind := range []string{"coa", "disconnect"} {
		for _, away := range []time.Duration{-time.Hour, time.Hour} {
			t.Run(fmt.Sprintf("%s, %v", kind, away), func(t *testing.T) {
				series := fmt.Sprintf(`radsec_gw_requests_total{client="interop",fate="stale_event_timestamp",kind=%q}`, kind)
				before := shared.counters(t)[series]
				asking, err := start(nil, testbed.Program(), shared.probeArgs(kind, "-user", "bob", "-attr", eventTimestamp(away), "-timeout", patience.String())...)
				if err != nil {
					t.Fatal(err)
				}
				awaitGrowth(t, series, before, func() float64 { return shared.counters(t)[series] })
				_ = asking.Stop(patience)
				if printed := asking.Printed(); strings.Contains(printed, "ACK") || strings.Contains(printed, "NAK") {
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
	var p ports
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
			expect(t, n.radclient(c.kind, lines(append([]string{"User-Name=" + c.user}, c.attributes...)...)), status, want...)
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
	p.Authenticator = [16]byte{}
	if err := rfc2865.UserName_SetString(p, "bob"); err != nil {
		t.Fatal(err)
	}
	if err := rfc2869.MessageAuthenticator_Set(p, make([]byte, 16)); err != nil {
		t.Fatal(err)
	}
	packet, err := p.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(md5.New, p.Secret)
	mac.Write(packet)
	if err := rfc2869.MessageAuthenticator_Set(p, mac.Sum(nil)); err != nil {
		t.Fatal(err)
	}
	return p
}
