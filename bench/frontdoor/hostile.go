package frontdoor

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"radsec-gw/bench/faults"
	"radsec-gw/bench/forged"
	"radsec-gw/bench/load"
	"radsec-gw/bench/process"
	"radsec-gw/certs"
)

// The bounds of one handshake with expensive certificates.
const (
	mostCPU      = 3 * time.Millisecond
	mostOrdinary = 2 // times an ordinary refused one
)

// hostile measures what a handshake with expensive certificates costs the
// gateway, beside an ordinary refused one, and good clients beside many.
func hostile(ctx context.Context, env *faults.Env, size Size, address string, gateway *process.Process) ([]faults.Row, error) {
	expensive, ordinary, err := forgeries(env.Files.CA)
	if err != nil {
		return nil, err
	}
	each := map[*tls.Certificate]time.Duration{}
	for _, shown := range []*tls.Certificate{ordinary, expensive, ordinary, expensive} { // the first of each warms up
		if each[shown], err = costOf(ctx, gateway, address, shown, size.Handshakes); err != nil {
			return nil, err
		}
	}
	alone, err := size.good(ctx, env, address, false)
	if err != nil {
		return nil, err
	}
	beside, bad, err := size.besideHostile(ctx, env, address, gateway, expensive)
	if err != nil {
		return nil, err
	}
	ratio := float64(each[expensive]) / float64(each[ordinary])
	return append([]faults.Row{
		row("CPU of a handshake with expensive certificates", fmt.Sprintf("at most %v", mostCPU), each[expensive].String(), each[expensive] <= mostCPU, true),
		row("beside an ordinary refused one", fmt.Sprintf("at most %d times", mostOrdinary), fmt.Sprintf("%.1f times %v", ratio, each[ordinary]), ratio <= mostOrdinary, true),
	}, append(compared(alone, beside, fmt.Sprintf("%d with expensive certificates", size.Hostile)),
		row("bad connections meanwhile", fmt.Sprintf("at least %d disconnected", size.Hostile/2), fmt.Sprintf("%d connected, %d disconnected", bad.connected, bad.disconnected), bad.disconnected >= int64(size.Hostile)/2, false))...), nil
}

// tally is how many bad peers connected, and how many were disconnected.
type tally struct{ connected, disconnected int64 }

// besideHostile measures good clients beside hostile ones, and counts those meanwhile. Good clients
// are measured again while few hostile ones were disconnected: a busy machine is slower at that.
// These run in a process of their own, if this command can be started again.
func (s Size) besideHostile(ctx context.Context, env *faults.Env, address string, gateway *process.Process, shown *tls.Certificate) (beside load.Report, t tally, err error) {
	var counts func() (tally, error)
	if env.Bench == "" {
		bad := hostileCrowd(ctx, address, shown, s.Hostile)
		bad.start()
		defer bad.stop()
		counts = func() (tally, error) { return bad.tally(), nil }
	} else {
		bad, err := startHostile(env, address, s.Hostile)
		if err != nil {
			return beside, t, err
		}
		defer bad.stop()
		counts = bad.counts
	}
	met := func() bool {
		t, err = counts()
		return err != nil || t.connected >= int64(s.Hostile)
	}
	if untilErr := gateway.Until(ctx, "connected to all hostile peers", met); err != nil || untilErr != nil {
		return beside, t, errors.Join(err, untilErr)
	}
	before := t
	const mostPhases = 5
	for range mostPhases {
		if beside, err = s.good(ctx, env, address, false); err != nil {
			return beside, t, err
		}
		harmed := beside.Lost+beside.Bad > 0 || beside.Broken > 0
		if t, err = counts(); err != nil || harmed || t.disconnected-before.disconnected >= int64(s.Hostile)/2 {
			break
		}
	}
	return beside, tally{t.connected - before.connected, t.disconnected - before.disconnected}, err
}

// costOf makes n handshakes that are refused, one after the other, and returns
// what each costs the gateway.
func costOf(ctx context.Context, gateway *process.Process, address string, shown *tls.Certificate, n int) (time.Duration, error) {
	before, err := gateway.CPU()
	if err != nil {
		return 0, err
	}
	for range n {
		raw, err := (&net.Dialer{}).DialContext(ctx, "tcp4", address)
		if err != nil {
			return 0, err
		}
		err = refused(raw, shown)
		raw.Close()
		if err == nil {
			return 0, errors.New("the gateway accepts a forged certificate")
		}
	}
	after, err := gateway.CPU()
	return (after - before) / time.Duration(n), err
}

// refused makes a handshake that is meant to be refused; its error is not nil then.
func refused(raw net.Conn, shown *tls.Certificate) error {
	t := tls.Client(raw, &tls.Config{InsecureSkipVerify: true, CurvePreferences: []tls.CurveID{tls.X25519},
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return shown, nil }})
	if err := t.Handshake(); err != nil {
		return err
	}
	t.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := t.Read(make([]byte, 1)); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	return nil
}

// forgeries makes what two peers show: many expensive certificates in the name of
// the CA in the file, and one of another CA.
func forgeries(caFile string) (expensive, ordinary *tls.Certificate, err error) {
	cas, err := certs.LoadCA(caFile)
	if err != nil {
		return nil, nil, err
	}
	ca := cas.Certificates[0]
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	expensive = &tls.Certificate{PrivateKey: key}
	if expensive.Certificate, err = forged.Expensive(ca.Subject, key); err != nil {
		return nil, nil, err
	}
	another, err := certs.NewCA("another CA")
	if err != nil {
		return nil, nil, err
	}
	pair, err := another.Client("nobody")
	if err != nil {
		return nil, nil, err
	}
	shown := pair.TLS()
	return expensive, &shown, nil
}
