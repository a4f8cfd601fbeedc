package frontdoor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/dtls/v4"
	"github.com/pion/dtls/v4/pkg/protocol"
	"golang.org/x/net/ipv4"

	"radsec-gw/bench/faults"
	"radsec-gw/bench/process"
)

// flood measures good clients over DTLS alone, and then beside ClientHellos from very many
// addresses, whose cookies are never sent back (RFC 6347 §4.2.1).
func flood(ctx context.Context, env *faults.Env, size Size, address string, gateway *process.Process) ([]faults.Row, error) {
	alone, err := size.good(ctx, env, address, true)
	if err != nil {
		return nil, err
	}
	before, _, err := gateway.Memory()
	if err != nil {
		return nil, err
	}
	f, err := newHellos(ctx, address, size)
	if err != nil {
		return nil, err
	}
	f.start()
	beside, err := size.good(ctx, env, address, true)
	after, _, memoryErr := gateway.Memory()
	f.stop()
	if err = errors.Join(err, memoryErr, f.failed); err != nil {
		return nil, err
	}
	sent, answered := f.sent, f.answered.Load()
	asked := uint64(size.Hellos * size.Phase.Seconds())
	return append(compared(alone, beside, "a flood of ClientHellos"),
		row("the flood", fmt.Sprintf("at least %d, from %d addresses, each answered", asked, size.HelloSources),
			fmt.Sprintf("%d sent, %d answered", sent, answered), sent >= asked && answered > sent*99/100, true),
		row("some of it answered", "cookies", fmt.Sprint(answered), answered > 0, false),
		row("memory beside it", fmt.Sprintf("within %d MB", memorySlack>>20), fmt.Sprintf("%d MB before, %d beside the flood", before>>20, after>>20), after <= before+memorySlack, false)), nil
}

// hellos sends one ClientHello again and again, each time from the next of its sources.
type hellos struct {
	hello   []byte
	to      *net.UDPAddr
	conn    *net.UDPConn
	rate    float64  // a second
	sources [][]byte // control messages that say where from

	running  sync.WaitGroup
	ended    chan struct{}
	answered atomic.Uint64
	sent     uint64 // valid after stop, like failed
	failed   error
}

// newHellos prepares a flood from 127.64.0.0 on. All of 127.0.0.0/8 is this machine's, so that
// nothing needs to be forged.
func newHellos(ctx context.Context, address string, size Size) (*hellos, error) {
	hello, err := clientHello(ctx)
	if err != nil {
		return nil, err
	}
	to, err := net.ResolveUDPAddr("udp4", address)
	if err != nil {
		return nil, err
	}
	if !to.IP.IsLoopback() {
		return nil, fmt.Errorf("address %q: expected one in 127.0.0.0/8", address)
	}
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{})
	if err != nil {
		return nil, err
	}
	f := &hellos{hello: hello, to: to, conn: conn, rate: size.Hellos, ended: make(chan struct{})}
	for i := range size.HelloSources {
		f.sources = append(f.sources, (&ipv4.ControlMessage{Src: net.IPv4(127, 64, byte(i/250), byte(i%250+1))}).Marshal())
	}
	return f, nil
}

// clientHello returns the datagram with which a client begins.
func clientHello(ctx context.Context) ([]byte, error) {
	server, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	defer server.Close()
	socket, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	defer socket.Close()
	client, err := dtls.Client(socket, server.LocalAddr(), dtls.WithInsecureSkipVerify(true), dtls.WithMaxVersion(protocol.Version1_2))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { _ = client.HandshakeContext(ctx) }) // it ends when it is canceled
	defer running.Wait()
	defer cancel()
	if err := server.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return nil, err
	}
	b := make([]byte, 2048)
	n, err := server.Read(b)
	return b[:n], err
}

// start sends until stop.
func (f *hellos) start() {
	f.running.Go(f.send)
	f.running.Go(f.receive)
}

// stop ends the flood.
func (f *hellos) stop() {
	close(f.ended)
	f.running.Wait()
}

// send sends what is due every few milliseconds, then waits for the last answers.
func (f *hellos) send() {
	const pause = 2 * time.Millisecond
	tick := time.NewTicker(pause)
	defer tick.Stop()
	begin := time.Now()
	for {
		select {
		case <-f.ended:
			_ = f.conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
			return
		case now := <-tick.C:
			for due := uint64(now.Sub(begin).Seconds() * f.rate); f.sent < due; f.sent++ {
				if _, _, err := f.conn.WriteMsgUDP(f.hello, f.sources[f.sent%uint64(len(f.sources))], f.to); err != nil {
					f.failed = fmt.Errorf("a ClientHello: %w", err)
					_ = f.conn.SetReadDeadline(time.Now())
					return
				}
			}
		}
	}
}

// receive counts answers.
func (f *hellos) receive() {
	defer f.conn.Close()
	b := make([]byte, 2048)
	for {
		if _, err := f.conn.Read(b); err != nil {
			return
		}
		f.answered.Add(1)
	}
}
