package cluster

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"radsec-gw/certs"
	"radsec-gw/cluster/natstest"
)

// NATS takes the configuration of the servers of compose.yaml: three that know each other, and sync
// what they store.
//
// Rules: GW4
func TestConfigurationOfCompose(t *testing.T) {
	o, err := server.ProcessConfigFile("../docker/nats.conf")
	if err != nil {
		t.Fatal(err)
	}
	if !o.JetStream || !o.SyncAlways || o.StoreDir != "/data" || o.Port != 4222 || o.Cluster.Port != 6222 || len(o.Routes) != 3 {
		t.Errorf("expected JetStream in /data that syncs always, ports 4222 and 6222, and three servers, got %t, %s, %t, %d, %d and %d", o.JetStream, o.StoreDir, o.SyncAlways, o.Port, o.Cluster.Port, len(o.Routes))
	}
}

// With the configuration of NATS that docs/cluster.md has, gateways share, and requests get their
// replies; what is not below the prefix is refused, and said in the log.
//
// Rules: GW6
func TestDocumentedConfiguration(t *testing.T) {
	a := newAuthority(t)
	servers := documented(a)
	cfg := Config{URLs: servers.URLs(), Prefix: "radsec-gw", CA: a.path("ca.pem"), Certificate: a.path("gateway.pem"), PrivateKey: a.path("gateway.key")}
	one, two := shareBy(t, cfg, MarkerID{1}), shareBy(t, cfg, MarkerID{2})
	until(t, "two gateways that know each other", func() bool { return one.knows(MarkerID{2}) && two.knows(MarkerID{1}) })
	until(t, "a State", func() bool {
		one.Issued(Issuer{3, 4})
		return len(two.learned()) > 0
	})
	if _, err := two.conn.NATS().Subscribe("radsec-gw.question", func(m *nats.Msg) { _ = m.Respond([]byte("answer")) }); err != nil {
		t.Fatal(err)
	}
	two.conn.NATS().Flush()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if m, err := one.conn.NATS().RequestWithContext(ctx, "radsec-gw.question", nil); err != nil || string(m.Data) != "answer" {
		t.Errorf("a request got %v, expected the answer", err)
	}
	if _, err := one.conn.NATS().SubscribeSync("other.>"); err != nil {
		t.Fatal(err)
	}
	until(t, "an error in the log", func() bool { return one.log.counts("NATS denies this gateway a subject: see whether") == 1 })
	js, err := jetstream.New(one.conn.NATS())
	if err != nil {
		t.Fatal(err)
	}
	refused, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond) // NATS does not answer what it refuses
	defer cancel()
	if _, err := js.Stream(refused, "radsec-gw-spool"); err == nil {
		t.Error("the API of JetStream is allowed, expected that it is refused")
	}
	until(t, "the right error for JetStream in the log", func() bool {
		return one.log.counts("NATS denies this gateway a subject of JetStream") == 1 && one.log.counts("$JS.API.> and") == 1 && one.log.counts("subject=$JS.API.STREAM.INFO.radsec-gw-spool") == 1
	})
	if n := one.log.counts("NATS denies this gateway a subject: see whether"); n != 1 {
		t.Errorf("the log has %d errors about prefix, expected 1", n)
	}
	until(t, "a connection in spite of it", one.conn.Connected) // it is made anew because of the subscription
}

// documented runs a NATS server with the configuration that docs/cluster.md has, and writes the
// certificate "gateway" that its user has.
func documented(a *authority) *natstest.Cluster {
	a.t.Helper()
	text, err := os.ReadFile("../docs/cluster.md")
	if err != nil {
		a.t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```conf\n")
	config, _, found := strings.Cut(rest, "```")
	if !found {
		a.t.Fatal("docs/cluster.md has no configuration of NATS")
	}
	config = regexp.MustCompile(`(?ms)^(server_name|listen):.*?$|^cluster \{.*?^\}$`).ReplaceAllString(config, "") // of one server, on a port of the test
	config = strings.ReplaceAll(config, "/etc/nats/", a.dir+"/")
	p, err := a.ca.Client("gateway", func(c *x509.Certificate) { c.DNSNames = []string{"gateway.example.org"} })
	a.write("gateway", p, err)
	client := nats.Secure(&tls.Config{RootCAs: certs.Pool(a.ca.Certificate), Certificates: []tls.Certificate{p.TLS()}})
	return natstest.StartWith(a.t, 1, natstest.Options{Plain: true, Config: config, Client: []nats.Option{client}})
}
