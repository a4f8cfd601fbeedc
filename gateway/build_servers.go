package gateway

import (
	"fmt"
	"math"
	"reflect"
	"slices"

	"radsec-gw/config"
	"radsec-gw/metrics"
	"radsec-gw/udpback"
	"radsec-gw/udpback/health"
	"radsec-gw/wire"
)

// configuredServer is a server and its configuration, without the ports that no route uses.
type configuredServer struct {
	config config.Server
	server *udpback.Server
}

// reuseServer returns the existing server of a configuration, or makes a new one.
func reuseServer(s *config.Server, back *udpback.Backend, existing []configuredServer) (configuredServer, error) {
	for _, e := range existing {
		if sameServer(&e.config, s) {
			return configuredServer{config: *s, server: e.server}, nil
		}
	}
	c, err := serverConfig(s)
	if err != nil {
		return configuredServer{config: *s}, err
	}
	return configuredServer{config: *s, server: back.NewServer(c)}, nil
}

// sameServer reports whether two configurations are of one server: the same machine with
// the same secret, seen from the same address, whatever else differs.
func sameServer(a, b *config.Server) bool {
	return a.Name == b.Name && a.Address == b.Address && a.Expand == b.Expand && a.Source == b.Source && reflect.DeepEqual(a.Secret, b.Secret)
}

// reconfigure applies the new configuration to each server that is reused.
func reconfigure(servers, existing []configuredServer) {
	for i := range servers {
		s := &servers[i]
		k := slices.IndexFunc(existing, func(e configuredServer) bool { return e.server == s.server })
		if k < 0 || reflect.DeepEqual(existing[k].config, s.config) {
			continue
		}
		if c, err := serverConfig(&s.config); err == nil { // the secret is unchanged, and was valid before
			s.server.Reconfigure(c)
		}
	}
}

// without returns the servers that are not among others.
func without(servers, others []configuredServer) (rest []configuredServer) {
	for _, s := range servers {
		if s.server != nil && !slices.ContainsFunc(others, func(o configuredServer) bool { return o.server == s.server }) {
			rest = append(rest, s)
		}
	}
	return rest
}

// closeUnused closes servers that were made for a reload that has failed, and restores the
// state of the current ones in the metrics.
func closeUnused(made, current []configuredServer) {
	closeServers(made)
	publishStates(current)
}

// publishStates updates the state of the servers in the metrics.
func publishStates(servers []configuredServer) {
	for _, s := range servers {
		s.server.PublishState()
	}
}

func closeServers(servers []configuredServer) {
	for _, s := range servers {
		s.server.Close()
	}
}

// serverConfig translates the configuration of a server.
func serverConfig(s *config.Server) (udpback.ServerConfig, error) {
	secret, err := wire.NewServerSecret(s.Secret.Bytes())
	if err != nil {
		return udpback.ServerConfig{}, fmt.Errorf("server %q: %w", s.Name, err)
	}
	check, err := health.CheckNamed(s.Health)
	if err != nil {
		return udpback.ServerConfig{}, fmt.Errorf("server %q: health: %w", s.Name, err)
	}
	return udpback.ServerConfig{
		Name: s.Name, Address: s.Address, ResolveInterval: s.ResolveInterval, Expand: s.Expand,
		AuthPort: s.AuthPort, AcctPort: s.AcctPort, CoAPort: s.CoAPort,
		Secret: secret, RequireMA: s.RequireMessageAuthenticator, NAS: nasOf(s),
		Source: s.Source, Maintenance: s.Maintenance, MaxSockets: s.MaxSockets, Schedule: ScheduleOf(s),
		Health: health.Config{
			Check: check, User: s.HealthUser, Password: string(s.HealthPassword.Bytes()),
			SuspectAfter: s.SuspectAfter, FailingAfter: s.FailingAfter, Watchdog: s.WatchdogInterval,
			CheckInterval: s.ProbeInterval, DownAfter: s.DownAfter, UpAfter: s.UpAfter,
		},
	}, nil
}

// ScheduleOf returns the times at which requests to a server are sent again.
func ScheduleOf(s *config.Server) udpback.Schedule {
	schedule := udpback.Schedule{Initial: s.RetransmitInitial, Max: s.RetransmitMax, Count: s.RetransmitCount, Duration: s.RetransmitDuration}
	if schedule.Max == 0 { // in the configuration 0 means no bound (RFC 5080 §2.2.1), in udpback the default
		schedule.Max = unlimited
	}
	if schedule.Count == 0 {
		schedule.Count = math.MaxInt32
	}
	return schedule
}

// ProbeOf returns the name of what a port of a server is probed with, "" when it is not.
func ProbeOf(s *config.Server, port metrics.Port) string {
	check, err := health.CheckNamed(s.Health)
	code := udpback.CheckCode(check, port)
	if err != nil || code == 0 {
		return ""
	}
	return wire.CodeName(code)
}
