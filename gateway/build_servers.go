package gateway

import (
	"fmt"
	"math"
	"reflect"
	"slices"

	"radsec-gw/config"
	"radsec-gw/udpback"
	"radsec-gw/udpback/health"
	"radsec-gw/wire"
)

// knownServer is a server and the configuration it was made from, that without
// the ports that no route uses.
type knownServer struct {
	config config.Server
	server *udpback.Server
}

// takeServer finds the server in known, or makes it.
func takeServer(s *config.Server, back *udpback.Back, known []knownServer) (knownServer, error) {
	for _, k := range known {
		if sameServer(&k.config, s) {
			return knownServer{config: *s, server: k.server}, nil
		}
	}
	c, err := serverConfig(s)
	if err != nil {
		return knownServer{config: *s}, err
	}
	return knownServer{config: *s, server: back.NewServer(c)}, nil
}

// sameServer reports whether a server stays what it is: the same machine with the same
// secret, whatever else a reload changes.
func sameServer(a, b *config.Server) bool {
	return a.Name == b.Name && a.Address == b.Address && a.Expand == b.Expand && reflect.DeepEqual(a.Secret, b.Secret)
}

// reconfigure gives the servers that were taken over what the file says of them now.
func reconfigure(servers, known []knownServer) {
	for i := range servers {
		s := &servers[i]
		was := slices.IndexFunc(known, func(k knownServer) bool { return k.server == s.server })
		if was < 0 || reflect.DeepEqual(known[was].config, s.config) {
			continue
		}
		if c, err := serverConfig(&s.config); err == nil { // the secret is the one that was good before
			s.server.Reconfigure(c)
		}
	}
}

// without returns those of servers that are not among known.
func without(servers, known []knownServer) (rest []knownServer) {
	for _, s := range servers {
		if s.server != nil && !slices.ContainsFunc(known, func(k knownServer) bool { return k.server == s.server }) {
			rest = append(rest, s)
		}
	}
	return rest
}

// discard closes servers that were made for nothing. The metrics say of those in
// force again how they are.
func discard(made, inForce []knownServer) {
	closeServers(made)
	announce(inForce)
}

func announce(servers []knownServer) {
	for _, s := range servers {
		s.server.Announce()
	}
}

func closeServers(servers []knownServer) {
	for _, s := range servers {
		s.server.Close()
	}
}

func serverConfig(s *config.Server) (udpback.ServerConfig, error) {
	secret, err := wire.NewServerSecret(s.Secret.Octets())
	if err != nil {
		return udpback.ServerConfig{}, fmt.Errorf("server %q: %w", s.Name, err)
	}
	return udpback.ServerConfig{
		Name: s.Name, Address: s.Address, ResolveInterval: s.ResolveInterval, Expand: s.Expand,
		AuthPort: s.AuthPort, AcctPort: s.AcctPort, CoAPort: s.CoAPort,
		Secret: secret, RequireMA: s.RequireMessageAuthenticator, NAS: nasOf(s),
		MaxSockets: s.MaxSockets, Schedule: ScheduleOf(s),
		Health: health.Config{
			Check: checkOf(s.Health), User: s.HealthUser, Password: string(s.HealthPassword.Octets()),
			SuspectAfter: s.SuspectAfter, FailingAfter: s.FailingAfter, Watchdog: s.WatchdogInterval,
			ProbeInterval: s.ProbeInterval, DownAfter: s.DownAfter, UpAfter: s.UpAfter,
		},
	}, nil
}

// ScheduleOf returns the times at which requests to a server are sent again.
func ScheduleOf(s *config.Server) udpback.Schedule {
	schedule := udpback.Schedule{Initial: s.RetransmitInitial, Max: s.RetransmitMax, Count: s.RetransmitCount, Duration: s.RetransmitDuration}
	if schedule.Max == 0 { // in the file 0 means no bound (RFC 5080 §2.2.1), in the package its default
		schedule.Max = forEver
	}
	if schedule.Count == 0 {
		schedule.Count = math.MaxInt32
	}
	return schedule
}

func checkOf(s string) health.Check {
	switch s {
	case config.HealthAccessRequest:
		return health.CheckAccessRequest
	case config.HealthNone:
		return health.CheckNone
	}
	return health.CheckStatusServer
}
