package dev

import (
	"context"
	"fmt"
	"io"
	"time"

	"radsec-gw/probe"
)

// What the NAS calls itself, and the session of its user.
const (
	nasName = "dev-nas"
	session = "dev-session"
)

// The server gives up before the NAS does, because its error says more.
const (
	serverPatience = 10 * time.Second
	nasPatience    = 15 * time.Second
)

// reverseCoA has a NAS log in the user of login, and wait on its connection for the
// Disconnect-Request that the server sends to the gateway.
func reverseCoA(ctx context.Context, login probe.Config, s *server, out io.Writer) error {
	fmt.Fprintln(out, "\nThe other way: a NAS stays connected, and the RADIUS server ends the session of its user.")
	login.Attributes = []string{"NAS-Identifier=" + nasName, "Acct-Session-Id=" + session}
	conn, _, err := probe.Open(ctx, login, out)
	if err != nil {
		return fmt.Errorf("the login at the NAS: %w", err)
	}
	ctx, end := context.WithTimeoutCause(ctx, nasPatience, fmt.Errorf("no Disconnect-Request arrived at the NAS within %v", nasPatience))
	defer end()
	ctx, fail := context.WithCancelCause(ctx) // the first failure counts: the others follow from it
	defer fail(nil)
	s.printf("Disconnect-Request for session %q over UDP to the gateway, %s", session, s.gateway)
	answered := make(chan *probe.Result, 1)
	go func() {
		r, err := s.disconnect(ctx)
		if err != nil {
			fail(fmt.Errorf("the Disconnect-Request of the RADIUS server to %s: %w", s.gateway, err))
		}
		answered <- r
	}()
	if err := conn.Listen(ctx, probe.ListenOptions{Count: 1}); err != nil {
		fail(fmt.Errorf("the NAS: %w", err))
	}
	r := <-answered
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	s.printf("%v over UDP from the gateway, after %v", r.Reply.Code, r.Took.Round(10*time.Microsecond))
	for _, c := range r.Checks {
		s.printf("    %s: %s", c.Field, c.Detail)
	}
	return nil
}

// disconnect sends a Disconnect-Request to the gateway, which has nothing but the session to find
// the NAS by. The error is nil if the answer is verified and positive.
func (s *server) disconnect(ctx context.Context) (*probe.Result, error) {
	request := probe.Config{Kind: probe.Disconnect, SessionID: session, Secret: string(s.secret), Timeout: serverPatience}
	return probe.RunUDP(ctx, request, probe.UDP{Address: s.gateway}, io.Discard)
}
