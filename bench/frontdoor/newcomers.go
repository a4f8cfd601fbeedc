package frontdoor

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"

	"radsec-gw/bench/faults"
	"radsec-gw/bench/load"
	"radsec-gw/bench/process"
)

// mostWait is how long a good client may take until it is served.
const mostWait = 2 * time.Second

// newcomers measures how long good clients take until they are served while few and many
// sources have silent connections, and handshakes that do not go on.
func newcomers(ctx context.Context, env *faults.Env, size Size, address string, gateway *process.Process) ([]faults.Row, error) {
	var rows []faults.Row
	for _, c := range []struct {
		says    string
		sources int
		behave  func(*crowd, net.Conn) error
	}{
		{"silent", size.FewSources, silent}, {"silent", size.Sources, silent},
		{"half-begun", size.FewSources, unfinished}, {"half-begun", size.Sources, unfinished},
	} {
		bad := newCrowd(ctx, address, env.Client, &kind{name: c.says, count: c.sources * size.EachSource, sources: c.sources, behave: c.behave})
		bad.start()
		err := gateway.Until(ctx, "connected to all hostile peers", bad.allConnected)
		var slowest time.Duration
		failed := 0
		for i := range size.Newcomers {
			if err != nil {
				break
			}
			took, clientErr := arrive(ctx, env, address, i)
			slowest = max(slowest, took)
			if clientErr != nil {
				failed++
			}
			err = ctx.Err()
			time.Sleep(200 * time.Millisecond)
		}
		bad.stop()
		if err != nil {
			return rows, err
		}
		rows = append(rows, row(fmt.Sprintf("%d good clients beside %d × %d %s connections", size.Newcomers, c.sources, size.EachSource, c.says),
			fmt.Sprintf("each served within %v", mostWait), fmt.Sprintf("%d failed, the slowest took %v; %v", failed, slowest.Round(time.Millisecond), bad),
			failed == 0 && slowest <= mostWait, false))
	}
	return rows, nil
}

// arrive is a good client from an address of its own: it is served when its
// Status-Server is answered.
func arrive(ctx context.Context, env *faults.Env, address string, i int) (took time.Duration, err error) {
	start := time.Now()
	defer func() { took = time.Since(start) }()
	dialer := tls.Dialer{NetDialer: &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+i))}, Timeout: 5 * mostWait}, Config: env.Client}
	c, err := dialer.DialContext(ctx, "tcp4", address)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	return 0, load.AskStatus(c, time.Until(start.Add(5*mostWait)))
}
