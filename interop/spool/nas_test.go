package spool

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"
)

// kinds are the records of a session, in order.
var kinds = []rfc2866.AcctStatusType{rfc2866.AcctStatusType_Value_Start, rfc2866.AcctStatusType_Value_InterimUpdate, rfc2866.AcctStatusType_Value_Stop}

// recordKey identifies a record.
type recordKey struct {
	session string
	kind    rfc2866.AcctStatusType
}

// nas sends the records of sessions, each when the one before in its session has been
// acknowledged, and what was not acknowledged again on the next connection, as a NAS does.
type nas struct {
	t       *testing.T
	name    string
	address string
	tls     *tls.Config
	pause   time.Duration // between two new records

	acknowledged map[recordKey]bool // owned by run
	sent         int                // transmissions, likewise
	lost         atomic.Int64       // connections
}

// clientTLS returns what a client connects with.
func clientTLS(t *testing.T) *tls.Config {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(inDir("certs/client.pem"), inDir("certs/client.key"))
	if err != nil {
		t.Fatal(err)
	}
	ca, err := os.ReadFile(inDir("certs/ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	return &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: pool, ServerName: "localhost"}
}

// job is a record that is to be acknowledged.
type job struct {
	recordKey
	first time.Time // when it was first sent
}

// run sends until ctx is done and all has been acknowledged that was sent.
func (n *nas) run(ctx context.Context) {
	n.acknowledged = map[recordKey]bool{}
	var queue []job
	session := 0
	for {
		conn := n.connect()
		if conn == nil {
			if ctx.Err() != nil && len(queue) == 0 {
				return
			}
			continue
		}
		queue = n.use(ctx, conn, queue, &session)
		conn.Close()
		if ctx.Err() != nil && len(queue) == 0 {
			return
		}
		n.lost.Add(1)
	}
}

// connect connects to the gateway; nil if that does not serve at this moment.
func (n *nas) connect() *tls.Conn {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	c, err := (&tls.Dialer{Config: n.tls}).DialContext(ctx, "tcp", n.address)
	if err != nil {
		<-time.After(20 * time.Millisecond) // the gateway is being started
		return nil
	}
	return c.(*tls.Conn)
}

// patienceOfNAS is how long a NAS waits for an acknowledgement until it connects anew.
const patienceOfNAS = 5 * time.Second

// use sends on a connection until it ends, or everything is done. It returns what was not
// acknowledged.
func (n *nas) use(ctx context.Context, conn *tls.Conn, queue []job, session *int) []job {
	answers := make(chan byte, 256)
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(answers)
		n.read(conn, answers)
	})
	defer reading.Wait()
	defer conn.Close()
	w := window{nas: n, conn: conn, queue: queue}
	tick := time.NewTicker(n.pause)
	defer tick.Stop()
	idle := time.NewTimer(patienceOfNAS)
	defer idle.Stop()
	for {
		if ctx.Err() != nil && w.count == 0 && len(w.queue) == 0 {
			return nil
		}
		select {
		case id, ok := <-answers:
			if !ok {
				return w.left()
			}
			w.answered(id)
			idle.Reset(patienceOfNAS)
		case <-idle.C:
			return w.left()
		case <-tick.C:
			if len(w.queue) == 0 && ctx.Err() == nil {
				*session++
				w.queue = append(w.queue, job{recordKey: recordKey{fmt.Sprintf("%s-%06d", n.name, *session), kinds[0]}})
			}
			if len(w.queue) > 0 && w.count < 250 && !w.sendNext() {
				return w.left()
			}
		}
	}
}

// window is what waits on one connection.
type window struct {
	*nas
	conn    *tls.Conn
	queue   []job // to be sent
	waiting [256]*job
	count   int // of waiting
	next    byte
}

// left returns what was not acknowledged.
func (w *window) left() []job {
	for _, j := range w.waiting {
		if j != nil {
			w.queue = append(w.queue, *j)
		}
	}
	return w.queue
}

// answered handles an acknowledgement: the next record of the session may follow.
func (w *window) answered(id byte) {
	j := w.waiting[id]
	if j == nil {
		return
	}
	w.acknowledged[j.recordKey] = true
	w.waiting[id] = nil
	w.count--
	if j.kind != rfc2866.AcctStatusType_Value_Stop {
		w.queue = append(w.queue, job{recordKey: recordKey{j.session, following(j.kind)}})
	}
}

// sendNext sends the next record.
func (w *window) sendNext() bool {
	for w.waiting[w.next] != nil {
		w.next++
	}
	j := w.queue[0]
	w.queue = w.queue[1:]
	if j.first.IsZero() {
		j.first = time.Now()
	}
	id := w.next
	w.waiting[id] = &j
	w.count++
	w.sent++
	w.next++
	return w.send(w.conn, id, &j)
}

func following(k rfc2866.AcctStatusType) rfc2866.AcctStatusType {
	if k == kinds[0] {
		return kinds[1]
	}
	return kinds[2]
}

// send writes one record.
func (n *nas) send(conn *tls.Conn, id byte, j *job) bool {
	p := radius.New(radius.CodeAccountingRequest, []byte("radsec"))
	p.Identifier = id
	rfc2865.UserName_SetString(p, "bob")
	rfc2865.NASIdentifier_SetString(p, n.name)
	rfc2866.AcctSessionID_SetString(p, j.session)
	rfc2866.AcctStatusType_Set(p, j.kind)
	if delay := time.Since(j.first); delay >= time.Second {
		rfc2866.AcctDelayTime_Set(p, rfc2866.AcctDelayTime(delay/time.Second))
	}
	b, err := p.Encode()
	if err != nil {
		n.t.Error(err)
		return false
	}
	conn.SetWriteDeadline(time.Now().Add(patienceOfNAS))
	_, err = conn.Write(b)
	return err == nil
}

// read passes the Identifiers of the answers on.
func (n *nas) read(conn *tls.Conn, answers chan<- byte) {
	head := make([]byte, 20)
	for {
		if _, err := io.ReadFull(conn, head); err != nil {
			return
		}
		length := int(head[2])<<8 | int(head[3])
		if length < 20 || head[0] != byte(radius.CodeAccountingResponse) {
			n.t.Errorf("unexpected packet: code %d, %d octets", head[0], length)
			return
		}
		if _, err := io.CopyN(io.Discard, conn, int64(length-20)); err != nil {
			return
		}
		answers <- head[1]
	}
}
