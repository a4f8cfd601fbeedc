package cluster

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"radsec-gw/cluster/natstest"
)

// Nothing waits for NATS at the start: Open returns while there is none, and the connection is
// made when it comes.
//
// Rules: GW2
func TestOpenBeforeNATS(t *testing.T) {
	servers := natstest.StartWith(t, 1, natstest.Options{Plain: true})
	servers.Kill(0)
	c, log := connect(t, Config{URLs: servers.URLs()})
	if c.NATS() != nil || c.Connected() {
		t.Fatal("there is a connection, expected none")
	}
	until(t, "a reason", func() bool { return c.State().Error != "" })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Wait(ctx); err != context.Canceled {
		t.Errorf("Wait returned %v, expected that it ends with its context", err)
	}
	until(t, "a line of the log", func() bool { return log.counts("cannot connect to NATS") == 1 })
	servers.Restart(0)
	nc, err := c.Wait(t.Context())
	if err != nil || nc != c.NATS() || !c.Connected() {
		t.Fatalf("Wait returned %v and %v, expected the connection", nc, err)
	}
	if s := c.State(); !s.Connected || s.Server != servers.URLs()[0] || s.Error != "" || time.Since(s.Since) > patience {
		t.Errorf("the state is %+v", s)
	}
	until(t, "a line of the log", func() bool { return log.counts("connected to NATS") == 1 })
}

// A NATS server that is killed costs the connection, which is made again when it is back, with
// its subscriptions; until then publishing fails at once.
//
// Rules: GW2
func TestReconnect(t *testing.T) {
	servers := natstest.StartWith(t, 1, natstest.Options{Plain: true})
	m := newMetrics()
	c, log := connect(t, Config{URLs: servers.URLs(), Metrics: m})
	nc, err := c.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan *nats.Msg, 1)
	if _, err := nc.ChanSubscribe("x", got); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		servers.Kill(0)
		await(t, c, false)
		if s := c.State(); s.Connected || s.Error == "" || s.Server != servers.URLs()[0] {
			t.Errorf("the state is %+v, expected a reason and the last server", s)
		}
		if err := nc.Publish("x", nil); err == nil {
			t.Error("publishing without a connection succeeded, expected an error")
		}
		servers.Restart(0)
		await(t, c, true)
		if c.NATS() != nc {
			t.Error("the connection is another, expected the same")
		}
		if err := nc.Publish("x", []byte("again")); err != nil {
			t.Fatal(err)
		}
		select {
		case <-got:
		case <-time.After(patience):
			t.Fatal("the subscription got nothing")
		}
	}
	if n := m.Counts().Reconnects; n != 2 {
		t.Errorf("%d connections were counted as made again, expected 2", n)
	}
	if n := log.counts("the connection to NATS is lost"); n != 1 {
		t.Errorf("the log has %d lines about a lost connection, expected one a minute:\n%v", n, log)
	}
}

// A server that is silent, but keeps its connections, is noticed by the pings; with the default
// times within 10 s.
//
// Rules: GW2
func TestSilentServer(t *testing.T) {
	if d := defaultTimes.ping * time.Duration(defaultTimes.pings+1); d > 10*time.Second {
		t.Errorf("a silent server is noticed after %v, expected at most 10 s", d)
	}
	servers := natstest.StartWith(t, 1, natstest.Options{Plain: true})
	c, _ := connect(t, Config{URLs: servers.URLs()})
	await(t, c, true)
	servers.Suspend(0)
	await(t, c, false)
	servers.Resume(0)
	await(t, c, true)
}

// A server that cannot be reached does not keep the gateway from the others, wherever it is in the
// list; and when the one in use is lost, another is used.
//
// Rules: GW2
func TestOtherServers(t *testing.T) {
	servers := natstest.Start(t, 3)
	urls := append([]string{"nats://127.0.0.1:1", "nats://nowhere.invalid:4222"}, servers.URLs()...)
	c, _ := connect(t, Config{URLs: urls})
	await(t, c, true)
	lost := c.State().Server
	for i, u := range servers.URLs() {
		if u == lost {
			servers.Kill(i)
		}
	}
	until(t, "another server", func() bool { s := c.State(); return s.Connected && s.Server != lost })
}

// A password in a URL is in no log line and not in the state.
//
// Rules: GW6
func TestPasswordIsNotShown(t *testing.T) {
	servers := natstest.StartWith(t, 1, natstest.Options{Plain: true, Config: "authorization { user: me, password: tiger }", Client: []nats.Option{nats.UserInfo("me", "tiger")}})
	url := strings.Replace(servers.URLs()[0], "nats://", "nats://me:tiger@", 1)
	c, log := connect(t, Config{URLs: []string{url}})
	await(t, c, true)
	servers.Kill(0)
	await(t, c, false)
	until(t, "a reason", func() bool { return strings.Contains(c.State().Error, "refused") })
	if s := c.State(); strings.Contains(log.String(), "tiger") || strings.Contains(s.Server+s.Error, "tiger") || s.Server != servers.URLs()[0] {
		t.Errorf("the state is %+v, and the log\n%v\nexpected neither to have the password", s, log)
	}
	if got := hider([]string{"nats://tiger@x", "nats://me:lion@y"}).Replace("cannot parse nats://tiger@x, nats://me:lion@y: tiger, lion"); got != "cannot parse nats://x, nats://y: [secret], [secret]" {
		t.Errorf("got %q", got)
	}
}

// Close ends a connection that is being made with a server that does not answer.
//
// Rules: GW2
func TestCloseWhileConnecting(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, _ := connect(t, Config{URLs: []string{"nats://" + l.Addr().String()}})
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	waiting := make(chan error)
	go func() {
		_, err := c.Wait(context.Background())
		waiting <- err
	}()
	closeAll(t, c)
	if err := <-waiting; err == nil {
		t.Error("Wait has a connection after Close, expected an error")
	}
}
