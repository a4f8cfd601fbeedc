package gateway

import (
	"context"
	"os"
	"reflect"
	"time"

	"radsec-gw/certs"
	"radsec-gw/cluster"
	"radsec-gw/config"
	"radsec-gw/files"
	"radsec-gw/logs"
	"radsec-gw/relay"
	"radsec-gw/spool"
	"radsec-gw/web/status"
)

// clustered is what the gateway shares with others through NATS. It is static: a change of
// [cluster] takes effect at a restart.
type clustered struct {
	config  config.Cluster
	conn    *cluster.Conn
	sharing *cluster.Sharing
}

// openCluster begins to share, if that is configured. It waits for nothing. The current generation
// must be set.
func (g *Gateway) openCluster(cfg *config.Config) {
	if !cfg.UsesCluster() {
		return
	}
	c, m := &cfg.Cluster, g.metrics.Cluster()
	name := "radsec-gw"
	if host, err := os.Hostname(); err == nil {
		name += " " + host
	}
	conn := cluster.Open(cluster.Config{URLs: c.NATS, CredentialsFile: c.CredentialsFile, CA: c.CA, Certificate: c.Certificate, PrivateKey: c.PrivateKey, Name: name, Prefix: c.Prefix, Metrics: m, Log: g.log})
	sharing := cluster.NewSharing(conn, cluster.SharingConfig{
		Prefix: c.Prefix, Marker: g.ownMarker, Markers: g.replicas.Set, Metrics: m, Log: g.log,
		Remember: func(i cluster.Issuer) { g.back.RememberIssuer(i.State, i.Server) },
	})
	g.back.ShareIssuers(func(state uint64, server uint32) { sharing.Issued(cluster.Issuer{State: state, Server: server}) })
	g.cluster = &clustered{config: *c, conn: conn, sharing: sharing}
	coa := cluster.NewCoA(conn, g.dynauth, c.Prefix, g.metrics.ClusterAsks(), g.log)
	g.dynauth.UseOthers(coa)
	g.running.Go(func() { coa.Run(g.ctx) })
}

// ownMarker returns what requests are marked with now.
func (g *Gateway) ownMarker() cluster.MarkerID {
	if m := buildMarker(g.current.Load().Config, g.marker); m != nil {
		return m.Own()
	}
	return cluster.MarkerID{}
}

// recognizeReplicas has rules that were made recognize the markers of the other gateways.
func (g *Gateway) recognizeReplicas(rules *relay.Rules) {
	if rules.Marker != nil {
		rules.Marker = rules.Marker.WithReplicas(&g.replicas)
	}
}

// clusterCloseTimeout is how long the gateway waits at its end for what it shares: the rest of what
// the service gives it after the connections and the spool.
const clusterCloseTimeout = 400 * time.Millisecond

// closeCluster ends the sharing. The spool, whose store may need the connection, is closed by then.
func (g *Gateway) closeCluster() {
	if g.cluster == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(g.ctx), clusterCloseTimeout)
	defer cancel()
	g.cluster.sharing.Close(ctx)
	g.cluster.conn.Close(ctx)
}

// announceMarker tells the other gateways a marker that may have changed.
func (g *Gateway) announceMarker() {
	if g.cluster != nil {
		g.cluster.sharing.Announce()
	}
}

// logClusterChange logs that what [cluster] says is not what is used.
func (g *Gateway) logClusterChange(next *config.Config) {
	if g.cluster == nil && !next.UsesCluster() || g.cluster != nil && reflect.DeepEqual(g.cluster.config, next.Cluster) {
		return
	}
	g.log.Warn("[cluster] has changed, which takes effect when the gateway is started again")
}

// spoolStream returns the stream that the spool uses, whose connection is waited for when it is
// opened; nil: the spool is a file. The configuration is that of the gateway's start.
func (g *Gateway) spoolStream(cfg *config.Config) *spool.StreamConfig {
	if cfg.Spool.Store != config.SpoolStoreJetStream {
		return nil
	}
	s := &spool.StreamConfig{Replicas: cfg.Spool.Replicas, Log: g.log}
	if g.cluster != nil { // otherwise a reload has added both, and opening the spool fails
		s.Connect, s.Prefix = g.cluster.conn.Wait, g.cluster.config.Prefix
	}
	return s
}

// clusterStatus returns the state of what is shared; nil if nothing is.
func (g *Gateway) clusterStatus() *status.Cluster {
	c := g.cluster
	if c == nil {
		return nil
	}
	s, counts := c.conn.State(), g.metrics.Cluster().Counts()
	return &status.Cluster{
		Prefix: c.config.Prefix, Connected: s.Connected, Server: logs.Clip(s.Server), Since: s.Since.UTC(), Error: logs.Clip(s.Error), Replicas: c.sharing.Replicas(),
		Reconnects: counts.Reconnects, Sent: counts.Sent, Received: counts.Received, Dropped: counts.Dropped, Invalid: counts.Invalid,
	}
}

// clusterMistakes lists what is wrong inside the files that [cluster] names.
func clusterMistakes(cfg *config.Config, from *files.Snapshot) config.Mistakes {
	c := &cfg.Cluster
	_, mistakes := loadPair(cfg, "cluster", c.Certificate, c.PrivateKey, from)
	if c.CA != "" {
		if _, err := parseFile(from, "CA", c.CA, config.MaxCertificates, certs.ParseCA); err != nil {
			mistakes = append(mistakes, cfg.MistakeAt("cluster.ca", err.Error()))
		}
	}
	if c.CredentialsFile != "" {
		if _, err := parseFile(from, "credentials", c.CredentialsFile, config.MaxKeys, cluster.CheckCredentials); err != nil {
			mistakes = append(mistakes, cfg.MistakeAt("cluster.credentials_file", err.Error()))
		}
	}
	return mistakes
}
