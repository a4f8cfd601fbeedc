package probe

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"layeh.com/radius"
)

// exchange writes one packet and reads the reply. The connection is new and has no other request, so
// the first packet that is not a request of the server is the reply; early are the requests before it.
// took is the time from the write to the last octet.
func exchange(ctx context.Context, conn net.Conn, request []byte, timeout time.Duration) (reply []byte, early [][]byte, took time.Duration, err error) {
	if err := conn.SetDeadline(time.Now().Add(timeout)); err != nil {
		return nil, nil, 0, err
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	start := time.Now()
	if _, err := conn.Write(request); err != nil {
		return nil, nil, 0, replyError(ctx, err, timeout)
	}
	defer resend(conn, request)()
	for {
		if reply, err = ReadPacket(conn); err != nil {
			return nil, nil, 0, replyError(ctx, err, timeout)
		}
		if !asksNAS(radius.Code(reply[0])) {
			return reply, early, time.Since(start), nil
		}
		early = append(early, reply)
	}
}

// ReadPacket reads one packet from a stream, and nothing of the next. Its error is that of
// r, or says that the Length is not one of RADIUS.
func ReadPacket(r io.Reader) ([]byte, error) {
	head := make([]byte, 4)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, err
	}
	length := int(binary.BigEndian.Uint16(head[2:]))
	if length < 20 || length > radius.MaxPacketLength {
		return nil, fmt.Errorf("expected a packet with a Length of 20 to 4096 (RFC 2865 §3), got %d: is that a RadSec server?", length)
	}
	packet := make([]byte, length)
	copy(packet, head)
	_, err := io.ReadFull(r, packet[len(head):])
	return packet, err
}

// replyError explains a timeout and a closed connection.
func replyError(ctx context.Context, err error, timeout time.Duration) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("none arrived within %v: is the RADIUS server behind the gateway up, does it know the gateway's address and secret, and does a route serve this realm? The gateway's log and /metrics say what happened to the request", timeout)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return errors.New("the server closed the connection: an authenticator did not verify (is -secret the one it has for this client?), or no client of its configuration matches this certificate and address; its log says which")
	}
	return fmt.Errorf("%w%s", err, alertHint(err))
}
