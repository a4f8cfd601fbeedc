package reverse

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"

	"radsec-gw/wire"
)

// nases are connections that each carry one NAS, and answer CoA.
type nases struct {
	conns   []*tls.Conn
	running sync.WaitGroup

	wrong atomic.Int64 // CoA for another NAS
	bad   atomic.Int64 // that does not verify, or another packet
}

// connect opens the connections, and has each send accounting, from which the gateway learns
// its NAS.
func connect(ctx context.Context, address string, config *tls.Config, n int) (*nases, error) {
	all := &nases{conns: make([]*tls.Conn, n)}
	var dialing sync.WaitGroup
	turns := make(chan struct{}, 8)
	errs := make([]error, n)
	for i := range n {
		dialing.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			all.conns[i], errs[i] = dial(ctx, address, config, i)
		})
	}
	dialing.Wait()
	if err := errors.Join(errs...); err != nil {
		all.close()
		return nil, err
	}
	for i, c := range all.conns {
		all.running.Go(func() { all.serve(c, nasName(i)) })
	}
	return all, nil
}

// dial connects the i-th NAS, from an address of its own, and has it known.
func dial(ctx context.Context, address string, config *tls.Config, i int) (*tls.Conn, error) {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 77, byte(i/250), byte(i%250+1))}, Timeout: patience}
	raw, err := d.DialContext(ctx, "tcp4", address)
	if err != nil {
		return nil, err
	}
	c := tls.Client(raw, config)
	p := radius.New(radius.CodeAccountingRequest, []byte("radsec"))
	err = errors.Join(rfc2865.NASIdentifier_SetString(p, nasName(i)), rfc2865.UserName_SetString(p, "alice@bench.example"),
		rfc2866.AcctStatusType_Set(p, rfc2866.AcctStatusType_Value_Start), rfc2866.AcctSessionID_SetString(p, fmt.Sprintf("session-%d", i)))
	octets, failed := p.Encode()
	if err = errors.Join(err, failed, c.SetDeadline(time.Now().Add(patience))); err == nil {
		if _, err = c.Write(octets); err == nil {
			_, err = io.ReadFull(c, make([]byte, 20))
		}
	}
	if err == nil {
		err = c.SetDeadline(time.Time{})
	}
	if err != nil {
		raw.Close()
		return nil, fmt.Errorf("NAS %d: %w", i, err)
	}
	return c, nil
}

// serve answers what is sent down a connection until that ends.
func (n *nases) serve(c *tls.Conn, name string) {
	buf := make([]byte, 0, 8192)
	for {
		m, err := c.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+m]
		for {
			size, wrong := wire.Cut(buf)
			if wrong != nil {
				n.bad.Add(1)
				return
			}
			if size == 0 {
				break
			}
			n.answer(c, buf[:size], name)
			buf = buf[:copy(buf, buf[size:])]
		}
		if err != nil {
			return
		}
	}
}

// answer answers one CoA-Request with a CoA-ACK.
func (n *nases) answer(c *tls.Conn, request []byte, name string) {
	p, err := radius.Parse(request, []byte("radsec"))
	if err != nil || p.Code != radius.CodeCoARequest || !radius.IsAuthenticRequest(request, []byte("radsec")) {
		n.bad.Add(1)
		return
	}
	if rfc2865.NASIdentifier_GetString(p) != name {
		n.wrong.Add(1)
	}
	octets, err := p.Response(radius.CodeCoAACK).Encode()
	if err == nil {
		_, _ = c.Write(octets)
	}
}

// close ends all connections.
func (n *nases) close() {
	for _, c := range n.conns {
		if c != nil {
			_ = c.NetConn().Close()
		}
	}
	n.running.Wait()
}
