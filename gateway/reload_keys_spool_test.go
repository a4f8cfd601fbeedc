package gateway

import "radsec-gw/spool"

// ofSpool observes something of the limits of the spool that runs.
func ofSpool[T any](see func(spool.Limits) T) func(*Gateway) any {
	return func(g *Gateway) any { return see(g.spool.Load().Limits()) }
}

// spoolChanges has the keys of [spool].
func spoolChanges() map[string]keyChange {
	return map[string]keyChange{
		// It is that of the next start: TestSpoolKeepsItsDirectory.
		"Spool.Directory":       {`directory = "spool"`, `directory = "other"`, func(g *Gateway) any { return g.current.Load().Config.Spool.Directory }},
		"Spool.Store":           {"", `store = "jetstream"`, func(g *Gateway) any { return g.current.Load().Config.Spool.Store }},
		"Spool.Replicas":        {"", "store = \"jetstream\"\nreplicas = 1", func(g *Gateway) any { return g.current.Load().Config.Spool.Replicas }},
		"Spool.MaxOctets":       {"", `max_octets = "9MiB"`, ofSpool(func(l spool.Limits) any { return l.MaxOctets })},
		"Spool.MaxRecords":      {"", `max_records = 9`, ofSpool(func(l spool.Limits) any { return l.MaxRecords })},
		"Spool.MaxAge":          {"", `max_age = "9d"`, ofSpool(func(l spool.Limits) any { return l.MaxAge })},
		"Spool.ReplayRate":      {"", `replay_rate = 9`, ofSpool(func(l spool.Limits) any { return l.Rate })},
		"Spool.ReplayWindow":    {"", `replay_window = 9`, ofSpool(func(l spool.Limits) any { return l.Window })},
		"Spool.Attempts":        {"", `attempts = 9`, ofSpool(func(l spool.Limits) any { return l.Attempts })},
		"Spool.ReplaceInterims": {"", `replace_interims = true`, ofSpool(func(l spool.Limits) any { return l.ReplaceInterims })},
	}
}
