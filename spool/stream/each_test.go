package stream

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/nats-io/nats.go"

	"radsec-gw/cluster/natstest"
)

// What NATS has acknowledged is read, also if the server that reads is behind, and says of a message
// that it is the last.
//
// Rules: GW4
func TestServerThatReadsIsBehind(t *testing.T) {
	t.Parallel()
	var d behind
	s, _ := loaded(t, connected(natstest.StartWith(t, 1, natstest.Options{Client: []nats.Option{nats.SetCustomDialer(&d)}}), "p", 1))
	texts := make([]string, 20)
	for i := range texts {
		texts[i] = fmt.Sprint(i)
	}
	add(t, s, texts...)
	d.on.Store(true)
	if got := all(t, s, 0); strings.Join(got, " ") != strings.Join(texts, " ") {
		t.Errorf("expected %q, got %q", texts, got)
	}
	if d.said.Load() == 0 {
		t.Error("no message was said to be the last: the test shows nothing")
	}
	if got := all(t, s, 17); strings.Join(got, " ") != "16 17 18 19" {
		t.Errorf("expected those from number 17 on, got %q", got)
	}
	calls := 0
	if err := s.Each(1, func(seq uint64, _ []byte) bool { calls++; return seq < 8 }); err != nil || calls != 8 {
		t.Errorf("expected 8 calls, got %d, %v", calls, err)
	}
}

// behind has a connection to NATS on which each fifth message of a stream is said to be the last.
type behind struct {
	on   atomic.Bool
	said atomic.Int32
}

// Dial implements nats.CustomDialer.
func (d *behind) Dial(network, address string) (net.Conn, error) {
	c, err := net.Dial(network, address)
	return &behindConn{Conn: c, from: bufio.NewReader(c), d: d}, err
}

type behindConn struct {
	net.Conn
	from *bufio.Reader
	rest []byte // of what was read
	d    *behind
}

// Read implements net.Conn, a line or a message at a time.
func (c *behindConn) Read(p []byte) (int, error) {
	if len(c.rest) == 0 {
		line, err := c.from.ReadString('\n')
		if err != nil {
			return 0, err
		}
		words := strings.Fields(line)
		if c.rest = []byte(c.d.change(line, words)); len(words) > 3 && strings.HasSuffix(words[0], "MSG") {
			size, err := strconv.Atoi(words[len(words)-1])
			if err != nil {
				return 0, err
			}
			data := make([]byte, size+len("\r\n"))
			if _, err := io.ReadFull(c.from, data); err != nil {
				return 0, err
			}
			c.rest = append(c.rest, data...)
		}
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

// change changes the subject to which a message is acknowledged, which ends with its number in the
// stream, its number for the consumer, the time, and how many there are after it.
func (d *behind) change(line string, words []string) string {
	if !d.on.Load() || len(words) < 5 || !strings.HasPrefix(words[3], "$JS.ACK.") {
		return line
	}
	parts := strings.Split(words[3], ".")
	if seq, err := strconv.Atoi(parts[len(parts)-4]); err != nil || seq%5 != 0 {
		return line
	}
	d.said.Add(1)
	parts[len(parts)-1] = "0"
	words[3] = strings.Join(parts, ".")
	return strings.Join(words, " ") + "\r\n"
}
