package tlsfront

import (
	"crypto/tls"
	"strings"
	"testing"

	"radsec-gw/identity"
	"radsec-gw/sessions"
)

// The errors of New name what is missing or wrong.
func TestInvalidConfig(t *testing.T) {
	f := startTCP(t, nil)
	good := f.server.cfg
	for want, change := range map[string]func(*Config){
		"no listener":          func(c *Config) { c.Listeners = nil },
		"TLS 1.2 is the least": func(c *Config) { c.MinVersion = tls.VersionTLS11 },
		"of a client CA":       func(c *Config) { c.ClientCA = nil },
		"whole leftmost label": func(c *Config) {
			c.Clients = f.openAll(clientsOf(identity.Client{Name: "x", SANDNS: []string{"a*.example"}}))
		},
		"two clients have": func(c *Config) {
			c.Clients = f.openAll(clientsOf(identity.Client{Name: "x"}, identity.Client{Name: "x"}))
		},
		"has no name":           func(c *Config) { c.Clients = f.openAll([]*sessions.Client{{}}) },
		"has no Open function":  func(c *Config) { c.Clients = clientsOf(identity.Client{Name: "x"}) },
		"write buffer":          func(c *Config) { c.WriteBuffer = 100 },
		"no server certificate": func(c *Config) { c.Certificate = tls.Certificate{} },
	} {
		cfg := good
		change(&cfg)
		if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New reports %v, want something with %q", err, want)
		}
	}
}
