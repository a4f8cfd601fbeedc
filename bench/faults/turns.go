package faults

import (
	"context"
	"crypto/tls"
	"fmt"
	"sync"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2869"

	"radsec-gw/bench/faulty"
	"radsec-gw/bench/load"
	"radsec-gw/bench/packets"
	"radsec-gw/probe"
)

const (
	rounds   = 9  // of each conversation, before its Access-Accept
	stations = 60 // that have conversations, one after the other each
)

// turns has many conversations, whose rounds go in turn through two gateways of
// the same configuration, while a third server of the group comes and goes and
// other traffic loads one of the servers.
func turns(ctx context.Context, e *Env, size Size) ([]Row, error) {
	var rows []Row
	for _, balance := range []string{"sticky", "least-outstanding"} {
		t := &turnsTrial{env: e}
		row, err := t.run(ctx, balance, size.TurnsDuration)
		t.stop()
		if err != nil {
			return nil, err
		}
		rows = append(rows, row...)
	}
	return rows, nil
}

type turnsTrial struct {
	env      *Env
	servers  []*faulty.Server
	gateways [2]*bed

	mu           sync.Mutex // guards the fields below
	whole, ended int        // conversations with an Access-Accept, and all
	first        string     // what went wrong first
}

func (t *turnsTrial) stop() {
	for _, g := range t.gateways {
		if g != nil {
			g.stop()
		}
	}
	for _, s := range t.servers {
		s.Close()
	}
}

func (t *turnsTrial) run(ctx context.Context, balance string, d time.Duration) ([]Row, error) {
	var ups []upstream
	for _, name := range []string{"a", "b", "comes-and-goes"} {
		s, err := faulty.Listen(faulty.Config{Name: name, Auth: "127.0.0.1:0", Acct: "127.0.0.1:0", Secret: []byte(secret), Rounds: rounds,
			Faults: faulty.Faults{Delay: time.Millisecond, Jitter: 5 * time.Millisecond}})
		if err != nil {
			return nil, err
		}
		t.servers = append(t.servers, s)
		ups = append(ups, upstream{name, s.AuthPort(), s.AcctPort(), "retransmit_initial = \"200ms\"\nprobe_interval = \"100ms\"\nup_after = 1\n"})
	}
	var err error
	for i := range t.gateways {
		if t.gateways[i], err = t.env.start(ctx, ups, fmt.Sprintf("[[route]]\nrealms = [\"*\"]\nservers = [\"a\", \"b\", \"comes-and-goes\"]\nbalance = %q\n", balance)); err != nil {
			return nil, err
		}
	}
	kept, err := t.owned(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(func() { t.comeAndGo(ctx) })
	wg.Go(func() { t.loadOne(ctx) })
	errs := make([]error, len(kept))
	for i, station := range kept {
		wg.Go(func() { errs[i] = t.converse(ctx, station) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	measured := fmt.Sprintf("%d of %d", t.whole, t.ended)
	if t.first != "" {
		measured += " (" + t.first + ")"
	}
	name := "two gateways take turns, a server comes and goes, " + balance
	return []Row{{name, "conversations of the others kept their server", "all", measured, t.whole == t.ended && t.ended > 0, false}}, nil
}

// owned returns the stations whose conversations belong to a server that stays.
func (t *turnsTrial) owned(ctx context.Context) ([]int, error) {
	var kept []int
	for station := range stations {
		c, err := t.dial(ctx, station)
		if err != nil {
			return nil, err
		}
		_, state, err := c.round(0, "")
		c.close()
		if err != nil {
			return nil, err
		}
		if state[:1] != "c" {
			kept = append(kept, station)
		}
	}
	if len(kept) == 0 || len(kept) == stations {
		return nil, fmt.Errorf("%d of %d stations belong to the servers that stay, expected about two thirds", len(kept), stations)
	}
	return kept, nil
}

// comeAndGo closes and opens the third server's ports again and again.
func (t *turnsTrial) comeAndGo(ctx context.Context) {
	for pause(ctx, 300*time.Millisecond) == nil {
		t.servers[2].Die()
		if pause(ctx, 700*time.Millisecond) != nil || t.servers[2].Live() != nil {
			return
		}
	}
}

// loadOne sends requests of one user through the first gateway, all of which go to one
// server. Their outcome does not matter.
func (t *turnsTrial) loadOne(ctx context.Context) {
	_, _ = load.Run(ctx, load.Config{Address: t.gateways[0].address, TLS: t.env.Client, Secret: []byte("radsec"), Connections: 2, Rate: 200,
		Mix: packets.Mix{packets.PAP}, Duration: time.Hour, Timeout: time.Second})
}

// converse has one conversation of a station after the other.
func (t *turnsTrial) converse(ctx context.Context, station int) error {
	c, err := t.dial(ctx, station)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	defer c.close()
	for ctx.Err() == nil {
		err := c.conversation(ctx)
		if ctx.Err() != nil {
			return nil
		}
		t.mu.Lock()
		t.ended++
		if err == nil {
			t.whole++
		} else if t.first == "" {
			t.first = fmt.Sprintf("station %d: %v", station, err)
		}
		t.mu.Unlock()
		if err != nil {
			return nil
		}
	}
	return nil
}

// talker is one station, with a connection to each gateway.
type talker struct {
	station int
	conns   [2]*tls.Conn
	id      byte
}

func (t *turnsTrial) dial(ctx context.Context, station int) (*talker, error) {
	c := &talker{station: station}
	for i, g := range t.gateways {
		conn, err := (&tls.Dialer{Config: t.env.Client}).DialContext(ctx, "tcp4", g.address)
		if err != nil {
			c.close()
			return nil, err
		}
		c.conns[i] = conn.(*tls.Conn)
	}
	return c, nil
}

func (c *talker) close() {
	for _, conn := range c.conns {
		if conn != nil {
			conn.Close()
		}
	}
}

// conversation continues to the Access-Accept, with the rounds through the two gateways in
// turn, as fast as an access point would.
func (c *talker) conversation(ctx context.Context) error {
	state := ""
	for round := range rounds + 1 {
		code, next, err := c.round(round, state)
		if err != nil {
			return fmt.Errorf("round %d: %w", round+1, err)
		}
		want := radius.CodeAccessChallenge
		if round == rounds {
			want = radius.CodeAccessAccept
		}
		if code != want {
			return fmt.Errorf("round %d with State %q: %v, expected %v", round+1, state, code, want)
		}
		state = next
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// round makes one request and reads its reply.
func (c *talker) round(round int, state string) (radius.Code, string, error) {
	c.id++
	p := radius.New(radius.CodeAccessRequest, []byte("radsec"))
	p.Identifier = c.id
	p.Add(rfc2865.UserName_Type, fmt.Appendf(nil, "user-%d@turns.example", c.station))
	p.Add(rfc2865.CallingStationID_Type, fmt.Appendf(nil, "02-00-00-00-%02X-%02X", c.station>>8, c.station&0xff))
	p.Add(rfc2869.EAPMessage_Type, []byte{2, byte(round), 0, 6, 13, 0}) // EAP-TLS acknowledgement (RFC 5216 §2.1.5)
	if state != "" {
		p.Add(rfc2865.State_Type, []byte(state))
	}
	probe.AddMessageAuthenticator(p)
	request, err := probe.Sign(p)
	if err != nil {
		return 0, "", err
	}
	conn := c.conns[round%2]
	if _, err := conn.Write(request); err != nil {
		return 0, "", err
	}
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	received, err := probe.ReadPacket(conn)
	if err != nil {
		return 0, "", err
	}
	reply, err := radius.Parse(received, p.Secret)
	if err != nil {
		return 0, "", err
	}
	return reply.Code, string(rfc2865.State_Get(reply)), nil
}
