package gateway

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"radsec-gw/config"
	"radsec-gw/metrics"
	"radsec-gw/wire"
)

// Each client has the secret that is configured for it, and each server, too.
// Rules: P19, P24
func TestConfiguredSecretsAreUsed(t *testing.T) {
	m := metrics.New(prometheus.NewRegistry())
	cfg := &config.Config{
		Clients: []config.Client{{Name: "usual", Secret: config.NewSecret("radsec")}, {Name: "other", Secret: config.NewSecret("an old agreement")}},
		Servers: []config.Server{
			{Name: "a", Secret: config.NewSecret("the first's"), Health: config.HealthNone},
			{Name: "b", Secret: config.NewSecret("the second's"), Health: config.HealthNone},
		},
	}
	signed := func(secret string) *wire.View {
		s, err := wire.NewServerSecret([]byte(secret))
		if err != nil {
			t.Fatal(err)
		}
		b, err := wire.NewRequest(4, 1).AddText(1, "nemo").Sign(wire.NewHasher(), s)
		if err != nil {
			t.Fatal(err)
		}
		v := new(wire.View)
		if err := v.Parse(b); err != nil {
			t.Fatal(err)
		}
		return v
	}
	for i, secrets := range []struct{ right, wrong string }{{"radsec", "an old agreement"}, {"an old agreement", "radsec"}} {
		c, err := buildClient(cfg, i, new(programs), m)
		if err != nil {
			t.Fatal(err)
		}
		for secret, want := range map[string]bool{secrets.right: true, secrets.wrong: false} {
			err := wire.NewHasher().VerifyRequest(signed(secret), c.Secret, wire.RequestPolicy{VerifyRA: true})
			if (err == nil) != want {
				t.Errorf("client %q: a request signed with %q: expected that it verifies: %t, got %v", c.Name, secret, want, err)
			}
		}
	}
	for i, right := range []string{"the first's", "the second's"} {
		s, err := serverConfig(&cfg.Servers[i])
		if err != nil {
			t.Fatal(err)
		}
		want := signed(right).Packet
		b := append([]byte(nil), want...)
		if err := wire.NewHasher().SignRequest(b, s.Secret); err != nil || string(b) != string(want) {
			t.Errorf("server %q does not sign with its own secret (%v)", s.Name, err)
		}
	}
}
