package gateway

import "radsec-gw/config"

// ofCluster observes something of [cluster] as it was read. It is that of the next start:
// TestClusterChangesAtARestart.
func ofCluster[T any](see func(*config.Cluster) T) func(*Gateway) any {
	return func(g *Gateway) any { return see(&g.current.Load().Config.Cluster) }
}

// clusterChanges has the keys of [cluster].
func clusterChanges() map[string]keyChange {
	return map[string]keyChange{
		"Cluster.NATS":            {`["nats://127.0.0.1:1"]`, `["nats://127.0.0.1:2"]`, ofCluster(func(c *config.Cluster) any { return c.NATS })},
		"Cluster.CredentialsFile": {"", `credentials_file = "nats.creds"`, ofCluster(func(c *config.Cluster) any { return c.CredentialsFile })},
		"Cluster.Prefix":          {"", `prefix = "other"`, ofCluster(func(c *config.Cluster) any { return c.Prefix })},
		"Cluster.CA":              {"", `ca = "certs/other/ca.pem"`, ofCluster(func(c *config.Cluster) any { return c.CA })},
		"Cluster.Certificate":     {"", pair, ofCluster(func(c *config.Cluster) any { return c.Certificate })},
		"Cluster.PrivateKey":      {"", pair, ofCluster(func(c *config.Cluster) any { return c.PrivateKey })},
	}
}
