//go:build linux

package world

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// entry is how the name server answers for a name, both for A and AAAA.
type entry struct {
	addresses []netip.Addr
	rotate    bool // each answer begins one address further on
	code      dnsmessage.RCode
	after     time.Duration
	silent    bool // not at all
	truncated bool // over UDP: the rest is available over TCP
	wrong     bool // an answer to another question
}

// at is the entry for addresses, in this order.
func at(addresses ...string) entry {
	var e entry
	for _, a := range addresses {
		e.addresses = append(e.addresses, netip.MustParseAddr(a))
	}
	return e
}

// nameserver is a name server outside, at 10.0.0.53. It knows the names that it is
// told; others do not exist (NXDOMAIN).
type nameserver struct {
	// static after construction
	t       testing.TB
	conn    *net.UDPConn
	stream  net.Listener
	readers sync.WaitGroup

	mu      sync.Mutex // guards the fields below
	entries map[string]entry
	asked   map[string]int
	turns   int
}

// names starts the world's name server.
func (w *world) names() *nameserver {
	w.t.Helper()
	w.address(w.outside, "eth0", nameServer+"/24")
	n := &nameserver{t: w.t, entries: map[string]entry{}, asked: map[string]int{}}
	var err error
	n.conn, err = w.outside.listenUDP(nameServer + ":53")
	w.must(err)
	n.stream, err = w.outside.listenTCP(nameServer + ":53")
	w.must(err)
	n.readers.Go(n.readUDP)
	n.readers.Go(n.readTCP)
	w.t.Cleanup(func() {
		n.conn.Close()
		n.stream.Close()
		n.readers.Wait()
	})
	return n
}

// set says how a name is answered from now on.
func (n *nameserver) set(name string, e entry) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.entries[name+"."] = e
}

// questions returns how often a name was asked for, A and AAAA together.
func (n *nameserver) questions(name string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.asked[name+"."]
}

func (n *nameserver) readUDP() {
	buf := make([]byte, 1500)
	for {
		size, from, err := n.conn.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // an ICMP error of an earlier answer
		}
		answer, after := n.answer(buf[:size], true)
		if answer != nil {
			time.AfterFunc(after, func() { _, _ = n.conn.WriteToUDPAddrPort(answer, from) })
		}
	}
}

func (n *nameserver) readTCP() {
	for {
		conn, err := n.stream.Accept()
		if err != nil {
			return
		}
		n.readers.Go(func() { n.readStream(conn) })
	}
}

// readStream answers one question of a TCP connection (RFC 1035 §4.2.2).
func (n *nameserver) readStream(conn net.Conn) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	size := make([]byte, 2)
	if _, err := io.ReadFull(conn, size); err != nil {
		return
	}
	question := make([]byte, binary.BigEndian.Uint16(size))
	if _, err := io.ReadFull(conn, question); err != nil {
		return
	}
	if answer, _ := n.answer(question, false); answer != nil {
		_, _ = conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...))
	}
}

// answer makes the answer to a question, nil for silence, and says how late it is.
func (n *nameserver) answer(question []byte, datagram bool) ([]byte, time.Duration) {
	var m dnsmessage.Message
	if err := m.Unpack(question); err != nil || len(m.Questions) != 1 {
		return nil, 0
	}
	q := m.Questions[0]
	n.mu.Lock()
	defer n.mu.Unlock()
	n.asked[strings.ToLower(q.Name.String())]++
	e, known := n.entries[strings.ToLower(q.Name.String())]
	if e.silent {
		return nil, 0
	}
	if !known {
		e.code = dnsmessage.RCodeNameError
	}
	m.Response, m.RecursionAvailable, m.RCode = true, true, e.code
	m.Additionals = nil
	if e.wrong {
		m.ID++
	}
	if e.truncated && datagram {
		m.Truncated = true
	} else {
		m.Answers = n.resources(q, e)
	}
	b, err := m.Pack()
	if err != nil {
		n.t.Errorf("the name server's answer for %v: %v", q.Name, err)
		return nil, 0
	}
	return b, e.after
}

// resources are the addresses of the kind that is asked for. With mu held.
func (n *nameserver) resources(q dnsmessage.Question, e entry) (list []dnsmessage.Resource) {
	if e.code != dnsmessage.RCodeSuccess {
		return nil
	}
	first := 0
	if e.rotate && q.Type == dnsmessage.TypeA {
		first = n.turns
		n.turns++
	}
	for i := range e.addresses {
		a := e.addresses[(first+i)%len(e.addresses)]
		header := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class} // TTL 0
		switch {
		case q.Type == dnsmessage.TypeA && a.Is4():
			list = append(list, dnsmessage.Resource{Header: header, Body: &dnsmessage.AResource{A: a.As4()}})
		case q.Type == dnsmessage.TypeAAAA && a.Is6():
			list = append(list, dnsmessage.Resource{Header: header, Body: &dnsmessage.AAAAResource{AAAA: a.As16()}})
		}
	}
	return list
}
