package faulty

import (
	"errors"
	"fmt"
	"net"
	"runtime"
	"syscall"
	"testing"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
)

const secret = "faulty-Secret-9"

// patience bounds every wait for something that should happen at once.
const patience = 10 * time.Second

func listen(t *testing.T, change func(*Config)) *Server {
	t.Helper()
	cfg := Config{Name: "one", Auth: "127.0.0.1:0", Acct: "127.0.0.1:0", Secret: []byte(secret), Seed: 1}
	if change != nil {
		change(&cfg)
	}
	s, err := Listen(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// client is one UDP socket to a port, with what it has asked.
type client struct {
	t    *testing.T
	conn net.Conn
	sent map[byte]*radius.Packet
}

func dial(t *testing.T, port int) *client {
	t.Helper()
	c, err := net.Dial("udp", fmt.Sprint("127.0.0.1:", port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &client{t: t, conn: c, sent: map[byte]*radius.Packet{}}
}

func (c *client) ask(code radius.Code, id byte, state string) {
	c.t.Helper()
	p := radius.New(code, []byte(secret))
	p.Identifier = id
	_ = rfc2865.UserName_SetString(p, "nemo")
	if state != "" {
		_ = rfc2865.State_SetString(p, state)
	}
	b, err := p.Encode()
	if err != nil {
		c.t.Fatal(err)
	}
	p.Authenticator = [16]byte(b[4:20])
	c.sent[id] = p
	if _, err := c.conn.Write(b); err != nil && !errors.Is(err, syscall.ECONNREFUSED) {
		c.t.Fatal(err)
	}
}

// next returns the next reply, and whether it verifies; nil when there is none within d.
func (c *client) next(d time.Duration) (*radius.Packet, bool) {
	c.t.Helper()
	_ = c.conn.SetReadDeadline(time.Now().Add(d))
	buf := make([]byte, 4096)
	n, err := c.conn.Read(buf)
	if err != nil {
		return nil, false
	}
	q := c.sent[buf[1]]
	request, err := q.MarshalBinary()
	if err != nil {
		c.t.Fatal(err)
	}
	p, err := radius.Parse(buf[:n], []byte(secret))
	if err != nil {
		c.t.Fatal(err)
	}
	return p, radius.IsAuthenticResponse(buf[:n], request, []byte(secret))
}

func TestGoodServerAnswersEverything(t *testing.T) {
	s := listen(t, nil)
	auth, acct := dial(t, s.AuthPort()), dial(t, s.AcctPort())
	for _, row := range []struct {
		c    *client
		code radius.Code
		want radius.Code
	}{{auth, radius.CodeAccessRequest, radius.CodeAccessAccept}, {acct, radius.CodeAccountingRequest, radius.CodeAccountingResponse}} {
		row.c.ask(row.code, 7, "")
		if p, ok := row.c.next(patience); p == nil || !ok || p.Code != row.want {
			t.Errorf("%v got %v, verified %t; expected %v", row.code, p, ok, row.want)
		}
	}
	// A Status-Server without Message-Authenticator is not one (RFC 5997 §3).
	auth.ask(radius.CodeStatusServer, 8, "")
	auth.ask(radius.CodeAccessRequest, 9, "")
	if p, _ := auth.next(patience); p == nil || p.Identifier != 9 {
		t.Errorf("got %v, expected the answer to the second request only", p)
	}
	if c := s.Counts(); c.Got[radius.CodeAccessRequest] != 2 || c.Got[radius.CodeAccountingRequest] != 1 || c.Bad != 1 || c.Sent != 3 {
		t.Errorf("counted %v, expected two Access-Requests, one Accounting-Request, one bad, three sent", c)
	}
}

func TestConversationBelongsToOneServer(t *testing.T) {
	s := listen(t, func(c *Config) { c.Rounds = 2 })
	c := dial(t, s.AuthPort())
	state := ""
	for i, want := range []radius.Code{radius.CodeAccessChallenge, radius.CodeAccessChallenge, radius.CodeAccessAccept} {
		c.ask(radius.CodeAccessRequest, byte(i), state)
		p, ok := c.next(patience)
		if p == nil || !ok || p.Code != want {
			t.Fatalf("round %d: %v, verified %t; expected %v", i, p, ok, want)
		}
		state = rfc2865.State_GetString(p)
	}
	c.ask(radius.CodeAccessRequest, 9, "two/0/1")
	if p, _ := c.next(patience); p == nil || p.Code != radius.CodeAccessReject || s.Counts().Foreign != 1 {
		t.Errorf("another server's State got %v and counts %v; expected a Reject and one foreign State", p, s.Counts())
	}
}

// Each percentage does what it says to about as many datagrams.
func TestPercentages(t *testing.T) {
	const requests = 2000
	rows := []struct {
		name           string
		faults         Faults
		replies, right [2]int // lowest and highest number
	}{
		{"drop-in", Faults{DropIn: 50}, [2]int{900, 1100}, [2]int{900, 1100}},
		{"drop-out", Faults{DropOut: 50}, [2]int{900, 1100}, [2]int{900, 1100}},
		{"double", Faults{Double: 50}, [2]int{2900, 3100}, [2]int{2900, 3100}},
		{"corrupt", Faults{Corrupt: 50}, [2]int{2000, 2000}, [2]int{900, 1100}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			s := listen(t, func(c *Config) { c.Faults = row.faults })
			c := dial(t, s.AuthPort())
			replies, right := 0, 0
			for i := range requests {
				c.ask(radius.CodeAccessRequest, byte(i), "")
				for ; replies < s.handled(t, i+1); replies++ {
					if _, ok := c.next(patience); ok {
						right++
					}
				}
			}
			if replies < row.replies[0] || replies > row.replies[1] || right < row.right[0] || right > row.right[1] {
				t.Errorf("%d replies of which %d verify to %d requests, expected %v and %v", replies, right, requests, row.replies, row.right)
			}
		})
	}
}

// handled waits until the server has handled n datagrams, and says how many
// replies it has sent.
func (s *Server) handled(t *testing.T, n int) (sent int) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); runtime.Gosched() {
		c := s.Counts()
		done := c.Got[radius.CodeAccessRequest]
		if s.Faults().DropIn > 0 {
			done += c.Lost
		}
		if done == uint64(n) {
			return int(c.Sent)
		}
	}
	t.Fatalf("the server has not handled %d datagrams within %v", n, patience)
	return 0
}

func TestReorderedRepliesOvertake(t *testing.T) {
	s := listen(t, func(c *Config) { c.Faults = Faults{Reorder: 50} })
	c := dial(t, s.AuthPort())
	for i := range 100 {
		c.ask(radius.CodeAccessRequest, byte(i), "")
	}
	overtaken, last := 0, -1
	for range 100 {
		p, ok := c.next(patience)
		if p == nil || !ok {
			t.Fatalf("a reply is missing or wrong: %v", p)
		}
		if int(p.Identifier) < last {
			overtaken++
		}
		last = int(p.Identifier)
	}
	if overtaken < 5 {
		t.Errorf("%d of 100 replies were overtaken, expected many", overtaken)
	}
}

func TestDelayStallDieAndLive(t *testing.T) {
	s := listen(t, func(c *Config) { c.Faults = Faults{Delay: 60 * time.Millisecond} })
	c := dial(t, s.AuthPort())
	from := time.Now()
	c.ask(radius.CodeAccessRequest, 1, "")
	if p, _ := c.next(patience); p == nil || time.Since(from) < 60*time.Millisecond {
		t.Errorf("%v after %v, expected an answer after 60ms", p, time.Since(from))
	}
	s.SetFaults(Faults{Stall: true})
	c.ask(radius.CodeAccessRequest, 2, "")
	if p, _ := c.next(50 * time.Millisecond); p != nil {
		t.Errorf("a stalled server answered %v", p)
	}
	s.SetFaults(Faults{})
	s.Die()
	c.ask(radius.CodeAccessRequest, 3, "")
	if p, _ := c.next(50 * time.Millisecond); p != nil {
		t.Errorf("a dead server answered %v", p)
	}
	if err := s.Live(); err != nil {
		t.Fatal(err)
	}
	c.ask(radius.CodeAccessRequest, 4, "")
	if p, _ := c.next(patience); p == nil || p.Identifier != 4 {
		t.Errorf("a server that is back answered %v, expected an Accept", p)
	}
}
