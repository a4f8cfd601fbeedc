package faults

import (
	"context"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"sync"
	"time"

	"layeh.com/radius"

	"radsec-gw/bench/faulty"
	"radsec-gw/bench/load"
	"radsec-gw/bench/packets"
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
	p := make([]byte, 20, 256)
	p[0], p[1] = byte(radius.CodeAccessRequest), c.id
	_, _ = rand.Read(p[4:20]) // never fails
	add := func(typ byte, value string) { p = append(append(p, typ, byte(len(value)+2)), value...) }
	add(80, string(make([]byte, 16)))
	add(1, fmt.Sprintf("user-%d@turns.example", c.station))
	add(31, fmt.Sprintf("02-00-00-00-%02X-%02X", c.station>>8, c.station&0xff))
	add(79, string([]byte{2, byte(round), 0, 6, 13, 0})) // EAP-TLS acknowledgement (RFC 5216 §2.1.5)
	if state != "" {
		add(24, state)
	}
	binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
	h := hmac.New(md5.New, []byte("radsec"))
	h.Write(p)
	copy(p[22:], h.Sum(nil))
	conn := c.conns[round%2]
	if _, err := conn.Write(p); err != nil {
		return 0, "", err
	}
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	head := make([]byte, 4)
	if _, err := io.ReadFull(conn, head); err != nil {
		return 0, "", err
	}
	rest := make([]byte, max(16, int(binary.BigEndian.Uint16(head[2:]))-4))
	if _, err := io.ReadFull(conn, rest); err != nil {
		return 0, "", err
	}
	for a := rest[16:]; len(a) >= 2 && int(a[1]) >= 2 && int(a[1]) <= len(a); a = a[a[1]:] {
		if a[0] == 24 {
			return radius.Code(head[0]), string(a[2:a[1]]), nil
		}
	}
	return radius.Code(head[0]), "", nil
}
