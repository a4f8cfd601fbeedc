package cluster

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

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
	text, err := os.ReadFile("../docs/cluster.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```conf\n")
	config, _, found := strings.Cut(rest, "```")
	if !found {
		t.Fatal("docs/cluster.md has no configuration of NATS")
	}
	a := newAuthority(t)
	config = regexp.MustCompile(`(?ms)^(server_name|listen):.*?$|^cluster \{.*?^\}$`).ReplaceAllString(config, "") // of one server, on a port of the test
	config = strings.ReplaceAll(config, "/etc/nats/", a.dir+"/")
	p, err := a.ca.Client("gateway", func(c *x509.Certificate) { c.DNSNames = []string{"gateway.example.org"} })
	a.write("gateway", p, err)
	path := func(name string) string { return filepath.Join(a.dir, name) }
	client := nats.Secure(&tls.Config{RootCAs: certs.Pool(a.ca.Certificate), Certificates: []tls.Certificate{p.TLS()}})
	servers := natstest.StartWith(t, 1, natstest.Options{Plain: true, Config: config, Client: []nats.Option{client}})
	cfg := Config{URLs: servers.URLs(), Prefix: "radsec-gw", CA: path("ca.pem"), Certificate: path("gateway.pem"), PrivateKey: path("gateway.key")}
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
	until(t, "an error in the log", func() bool { return one.log.counts("NATS reports an error") == 1 })
	if !one.conn.Connected() {
		t.Error("a subject that is refused has cost the connection")
	}
}
