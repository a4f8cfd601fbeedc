package probe_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"

	"radsec-gw/probe"
)

// A login through a gateway on this machine, with the certificates that radsec-gw certs makes.
func ExampleRun() {
	result, err := probe.Run(context.Background(), probe.Config{
		Address:  "127.0.0.1:2083",
		CAFile:   "certs/dev/ca.pem",
		CertFile: "certs/dev/client.pem",
		KeyFile:  "certs/dev/client.key",
		Kind:     probe.Access,
		User:     "bob",
		Password: "hello",
	}, io.Discard)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Reply.Code, rfc2865.ReplyMessage_GetString(result.Reply), result.Took)
}

// An access point that is told of the end of a session: it waits for one Disconnect-Request or
// CoA-Request, knows the session by its Acct-Session-Id, and has no other.
func ExampleConn_Listen() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, _, err := probe.Open(ctx, probe.Config{
		Address:    "127.0.0.1:2083",
		CAFile:     "certs/dev/ca.pem",
		CertFile:   "certs/dev/client.pem",
		KeyFile:    "certs/dev/client.key",
		Kind:       probe.Accounting,
		User:       "bob",
		SessionID:  "5f3a",
		Attributes: []string{"NAS-Identifier=ap-17"},
	}, os.Stdout)
	if err != nil {
		log.Fatal(err)
	}
	err = conn.Listen(ctx, probe.ListenOptions{
		Count: 1,
		Decide: func(r *probe.Request) probe.Answer {
			if rfc2866.AcctSessionID_GetString(r.Packet) != "5f3a" {
				return probe.Answer{Kind: probe.NAK}
			}
			return probe.Answer{}
		},
	})
	if err != nil {
		log.Fatal(err)
	}
}
