// Package natstest runs NATS servers for tests: each in a process of its own, so that a test can
// kill it, hold it up, and start it again with what it has stored.
//
// The process is the test's own program: its TestMain calls Serve first.
package natstest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"radsec-gw/bench/ports"
	"radsec-gw/bench/process"
)

// configVariable names the configuration file of the server that a process is.
const configVariable = "RADSEC_GW_TEST_NATS_SERVER"

// patience bounds how long a cluster may take to choose its leader.
const patience = time.Minute

// Serve runs a server until it is killed, if the process was started as one. Otherwise it does
// nothing. TestMain calls it before anything else.
func Serve() {
	path := os.Getenv(configVariable)
	if path == "" {
		return
	}
	options, err := server.ProcessConfigFile(path)
	if err == nil {
		options.NoSigs = false // Reload needs one
		var s *server.Server
		if s, err = server.NewServer(options); err == nil {
			s.ConfigureLogger()
			s.Start()
			s.WaitForShutdown()
			os.Exit(0)
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// Options are what servers have beyond what Start gives them.
type Options struct {
	Config string        // added to the configuration of each, such as tls { … } or accounts
	Client []nats.Option // with which Await and Connect connect
	Plain  bool          // without JetStream
}

// Cluster is some servers that know each other, with JetStream.
type Cluster struct {
	t       testing.TB
	options Options
	servers []*natsServer
}

// natsServer is one server.
type natsServer struct {
	config  string // its file
	store   string // the directory of what it stores
	url     string
	process *process.Process // nil: it is stopped
}

// Start runs n servers until the test ends, and waits until they serve.
func Start(t testing.TB, n int) *Cluster {
	t.Helper()
	return StartWith(t, n, Options{})
}

// StartWith is Start with options.
func StartWith(t testing.TB, n int, o Options) *Cluster {
	t.Helper()
	c := &Cluster{t: t, options: o}
	clients, err := ports.TCP(2 * n)
	if err != nil {
		t.Fatal(err)
	}
	routes := clients[n:]
	dir := t.TempDir()
	for i := range n {
		s := &natsServer{config: filepath.Join(dir, fmt.Sprintf("%d.conf", i)), store: filepath.Join(dir, fmt.Sprint("store", i)), url: fmt.Sprintf("nats://127.0.0.1:%d", clients[i])}
		text := fmt.Sprintf("server_name: %s\nlisten: 127.0.0.1:%d\n%s\n", c.Name(i), clients[i], o.Config)
		if !o.Plain {
			text += fmt.Sprintf("jetstream { store_dir: %q, sync_interval: always }\n", s.store)
		}
		if n > 1 {
			var list []string
			for _, port := range routes {
				list = append(list, fmt.Sprintf("nats://127.0.0.1:%d", port))
			}
			text += fmt.Sprintf("cluster { name: test, listen: 127.0.0.1:%d, routes: [%s] }\n", routes[i], strings.Join(list, ", "))
		}
		if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c.servers = append(c.servers, s)
	}
	t.Cleanup(func() {
		for i := range c.servers {
			c.Kill(i)
		}
	})
	for i := range c.servers {
		c.start(i)
	}
	c.Await()
	return c
}

// URLs returns the addresses of the servers, for clients.
func (c *Cluster) URLs() (list []string) {
	for _, s := range c.servers {
		list = append(list, s.url)
	}
	return list
}

// Name returns the name of a server.
func (c *Cluster) Name(i int) string { return fmt.Sprint("n", i) }

// Len returns how many servers there are.
func (c *Cluster) Len() int { return len(c.servers) }

func (c *Cluster) start(i int) {
	c.t.Helper()
	s := c.servers[i]
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), configVariable+"="+s.config)
	var err error
	if s.process, err = process.Start(cmd); err != nil {
		c.t.Fatal(err)
	}
}

// Kill ends a server at once, as a crash does.
func (c *Cluster) Kill(i int) {
	if p := c.servers[i].process; p != nil {
		p.Kill()
		<-p.Exited()
		c.servers[i].process = nil
	}
}

// KillAll ends all servers at once.
func (c *Cluster) KillAll() {
	for i := range c.servers {
		c.Kill(i)
	}
}

// Restart starts a server that was killed, with what it had stored.
func (c *Cluster) Restart(i int) {
	c.t.Helper()
	c.start(i)
}

// RestartAll starts all servers that were killed, and waits until they serve.
func (c *Cluster) RestartAll() {
	c.t.Helper()
	for i, s := range c.servers {
		if s.process == nil {
			c.start(i)
		}
	}
	c.Await()
}

// Save keeps a copy of what the servers that were killed have stored.
func (c *Cluster) Save() {
	c.t.Helper()
	c.forStores(func(store string) error {
		if err := os.RemoveAll(store + ".saved"); err != nil {
			return err
		}
		return os.CopyFS(store+".saved", os.DirFS(store))
	})
}

// Rewind has the servers that were killed have stored what they had at Save.
func (c *Cluster) Rewind() {
	c.t.Helper()
	c.forStores(func(store string) error {
		if err := os.RemoveAll(store); err != nil {
			return err
		}
		return os.CopyFS(store, os.DirFS(store+".saved"))
	})
}

func (c *Cluster) forStores(f func(store string) error) {
	c.t.Helper()
	for _, s := range c.servers {
		if s.process != nil {
			continue
		}
		if err := f(s.store); err != nil {
			c.t.Fatal(err)
		}
	}
}

// Reload has a server read its configuration again, with other options of the test in it.
func (c *Cluster) Reload(i int, before, after string) {
	c.t.Helper()
	s := c.servers[i]
	text, err := os.ReadFile(s.config)
	if err == nil {
		err = os.WriteFile(s.config, []byte(strings.Replace(string(text), before, after, 1)), 0o600)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	s.process.Signal(syscall.SIGHUP)
}

// Suspend holds a server up: it keeps its connections, and answers nothing, until Resume.
func (c *Cluster) Suspend(i int) { c.servers[i].process.Suspend() }

// Resume ends Suspend.
func (c *Cluster) Resume(i int) { c.servers[i].process.Resume() }

// Await waits until the servers that run serve clients, and JetStream.
func (c *Cluster) Await() {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for i, s := range c.servers {
		if s.process == nil {
			continue
		}
		var last error
		err := s.process.Until(ctx, "serving", func() bool { last = c.serves(ctx, s.url); return last == nil })
		if err != nil {
			c.t.Fatalf("server %d: %v; %v", i, err, last)
		}
	}
}

// serves reports why a server does not serve; nil: it does.
func (c *Cluster) serves(ctx context.Context, url string) error {
	nc, err := nats.Connect(url, append([]nats.Option{nats.Timeout(time.Second), nats.NoReconnect()}, c.options.Client...)...)
	if err != nil {
		return err
	}
	defer nc.Close()
	if c.options.Plain {
		return nil
	}
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	_, err = js.AccountInfo(ctx)
	return err
}

// Connect returns a connection to the servers, until the test ends.
func (c *Cluster) Connect() *nats.Conn {
	c.t.Helper()
	return c.connect(c.URLs())
}

// ConnectTo returns a connection to one server, as long as that runs.
func (c *Cluster) ConnectTo(i int) *nats.Conn {
	c.t.Helper()
	return c.connect(c.URLs()[i : i+1])
}

func (c *Cluster) connect(urls []string) *nats.Conn {
	c.t.Helper()
	nc, err := nats.Connect(strings.Join(urls, ","), append([]nats.Option{nats.MaxReconnects(-1), nats.ReconnectWait(50 * time.Millisecond), nats.ReconnectBufSize(-1)}, c.options.Client...)...)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(nc.Close)
	return nc
}
