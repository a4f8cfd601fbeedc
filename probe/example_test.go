package probe_test

import (
	"context"
	"fmt"
	"io"
	"log"

	"layeh.com/radius/rfc2865"

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
