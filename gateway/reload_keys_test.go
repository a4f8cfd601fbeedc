package gateway

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"radsec-gw/certs"
	"radsec-gw/certs/certstest"
	"radsec-gw/config"
	"radsec-gw/gateway/gatewaytest"
	"radsec-gw/relay"
	"radsec-gw/sessions"
	"radsec-gw/tlsfront"
)

// keysConfig is a file whose lines TestEveryKeyChangesAtAReload changes.
const keysConfig = `[listen]
address = ["127.0.0.1:0"]
certificate = "certs/dev/server.pem"
private_key = "certs/dev/server.key"
client_ca = "certs/dev/ca.pem"
# more of listen
[[client]]
name = "campus"
rules_request = ["r"]
# more of client
[[server]]
name = "udp"
address = "127.0.0.1"
secret = "secret-of-this-test"
health = "none"
nas = true
[[route]]
realms = ["example.org"]
servers = ["udp"]
spool = true
[spool]
directory = "spool"
# more of spool
[cluster]
nats = ["nats://127.0.0.1:1"]
# more of cluster
[[rule]]
name = "r"
# more of rule
[metrics]
address = "127.0.0.1:0"
# more of metrics
[log]
hash_salt = "salt"
# more of log
[tap]
socket = "tap.sock"
`

// keyChange is a change of the file and what can be seen of it.
type keyChange struct {
	from, to string // of the file's text; from "": what follows goes below "# more of" its table
	see      func(*Gateway) any
}

// text returns the file's text with the change.
func (c keyChange) text(t *testing.T, name string) string {
	t.Helper()
	from, to := c.from, c.to
	if from == "" {
		table := map[string]string{"Clients": "client", "Rules": "rule"}[strings.Split(name, ".")[0]]
		if table == "" {
			table = strings.ToLower(strings.Split(name, ".")[0])
		}
		from = "# more of " + table + "\n"
		to += "\n"
	}
	if !strings.Contains(keysConfig, from) {
		t.Fatalf("%s: the file lacks %q", name, from)
	}
	return strings.Replace(keysConfig, from, to, 1)
}

// inFront observes something of the configuration of tlsfront.
func inFront[T any](see func(tlsfront.Config) T) func(*Gateway) any {
	return func(g *Gateway) any { return see(g.listen().Config()) }
}

// ofClient observes something of the only client.
func ofClient[T any](see func(*sessions.Client) T) func(*Gateway) any {
	return func(g *Gateway) any { return see(g.listen().Config().Clients[0]) }
}

// ofPolicy observes something of what the only client may send.
func ofPolicy[T any](see func(*relay.ClientConfig) T) func(*Gateway) any {
	return func(g *Gateway) any { return see(g.clients[0].Config()) }
}

// ofHub observes how requests are logged. TestLogChangesAtAReload is about the effect.
func ofHub(g *Gateway) any { return fmt.Sprintf("%+v", g.hubConfig(&g.current.Load().Config.Log)) }

const (
	otherPair = "certificate = \"certs/other/server.pem\"\nprivate_key = \"certs/other/server.key\"\n"
	pair      = "certificate = \"certs/dev/server.pem\"\nprivate_key = \"certs/dev/server.key\"\n"
)

// keyChanges has each key of the file but those of [[server]], [[route]] and
// [routing], by the name of its field.
func keyChanges() map[string]keyChange {
	all := listenChanges()
	maps.Copy(all, listenerChanges())
	maps.Copy(all, clientChanges())
	maps.Copy(all, crlChanges())
	maps.Copy(all, reverseChanges())
	maps.Copy(all, spoolChanges())
	maps.Copy(all, clusterChanges())
	maps.Copy(all, ruleChanges())
	maps.Copy(all, operationChanges())
	return all
}

func listenChanges() map[string]keyChange {
	return map[string]keyChange{
		"Listen.Address":                 {`["127.0.0.1:0"]`, `["127.0.0.1:0", "127.0.0.1:0"]`, func(g *Gateway) any { return len(g.listen().Addrs()) }},
		"Listen.Certificate":             {pair, otherPair, inFront(func(c tlsfront.Config) any { return c.Certificate.Certificate })},
		"Listen.PrivateKey":              {pair, otherPair, inFront(func(c tlsfront.Config) any { return c.Certificate.PrivateKey })},
		"Listen.ClientCA":                {`certs/dev/ca.pem`, `certs/other/ca.pem`, inFront(func(c tlsfront.Config) any { return c.ClientCA })},
		"Listen.ClientAuth":              {"", `client_auth = "optional"`, inFront(func(c tlsfront.Config) any { return c.ClientAuth })},
		"Listen.MinTLS":                  {"", `min_tls = "1.3"`, inFront(func(c tlsfront.Config) any { return c.MinVersion })},
		"Listen.CipherSuites":            {"", `cipher_suites = ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"]`, inFront(func(c tlsfront.Config) any { return c.CipherSuites })},
		"Listen.Intermediates":           {"", `intermediates = ["certs/other/ca.pem"]`, inFront(func(c tlsfront.Config) any { return len(c.Intermediates) })},
		"Listen.RadiusVersions":          {"", `radius_versions = ["1.1"]`, inFront(func(c tlsfront.Config) any { return c.RadiusVersions })},
		"Listen.SilentTimeout":           {"", `silent_timeout = "1s"`, inFront(func(c tlsfront.Config) any { return c.SilentTimeout })},
		"Listen.HandshakeTimeout":        {"", `handshake_timeout = "1s"`, inFront(func(c tlsfront.Config) any { return c.HandshakeTimeout })},
		"Listen.IdleTimeout":             {"", `idle_timeout = "1s"`, inFront(func(c tlsfront.Config) any { return c.IdleTimeout })},
		"Listen.PacketTimeout":           {"", `packet_timeout = "1s"`, inFront(func(c tlsfront.Config) any { return c.PacketTimeout })},
		"Listen.WriteTimeout":            {"", `write_timeout = "1s"`, inFront(func(c tlsfront.Config) any { return c.WriteTimeout })},
		"Listen.MaxConnections":          {"", `max_connections = 9`, inFront(func(c tlsfront.Config) any { return c.MaxConnections })},
		"Listen.MaxConnectionsPerSource": {"", `max_connections_per_source = 9`, inFront(func(c tlsfront.Config) any { return c.MaxPerSource })},
		"Listen.MaxHandshakes":           {"", `max_handshakes = 9`, inFront(func(c tlsfront.Config) any { return c.MaxHandshakes })},
		"Listen.MaxPacketsPerConnection": {"", `max_packets_per_connection = 9`, inFront(func(c tlsfront.Config) any { return c.MaxPacketsPerConnection })},
		"Listen.MaxOutstanding":          {"", `max_outstanding = 9`, inFront(func(c tlsfront.Config) any { return c.MaxOutstanding })},
		"Listen.SessionTicketKeys":       {"", `session_ticket_keys = "tickets"`, inFront(func(c tlsfront.Config) any { return c.TicketKeys })},
		"Listen.KeyLogFile":              {"", `key_log_file = "keys.log"`, inFront(func(c tlsfront.Config) any { return c.KeyLog != nil })},
		"Listen.ProxyProtocol":           {"", `proxy_protocol = ["127.0.0.9"]`, inFront(func(c tlsfront.Config) any { return c.ProxyNetworks })},
		"Listen.ReadableKeys":            {"", `readable_keys = "warn"`, func(g *Gateway) any { return g.current.Load().files.cfg.Listen.ReadableKeys }},
		// This one is TestPollerFollowsTheInterval's, the next is read where it is used.
		"Listen.ReloadInterval": {"", `reload_interval = "1h"`, func(g *Gateway) any { return g.current.Load().Config.Listen.ReloadInterval }},
		"Listen.DrainTimeout":   {"", `drain_timeout = "1s"`, func(g *Gateway) any { return g.current.Load().Config.Listen.DrainTimeout }},
	}
}

func clientChanges() map[string]keyChange {
	return map[string]keyChange{
		"Clients.Name":                           {`name = "campus"`, `name = "lab"`, ofClient(func(c *sessions.Client) any { return c.Name })},
		"Clients.Networks":                       {"", `networks = ["127.0.0.1"]`, ofClient(func(c *sessions.Client) any { return c.Networks })},
		"Clients.Fingerprints":                   {"", `fingerprints = ["` + strings.Repeat("ab", 32) + `"]`, ofClient(func(c *sessions.Client) any { return c.Fingerprints })},
		"Clients.SANDNS":                         {"", `san_dns = ["a.example"]`, ofClient(func(c *sessions.Client) any { return c.SANDNS })},
		"Clients.SANIP.Source":                   {"", `san_ip = ["source"]`, ofClient(func(c *sessions.Client) any { return c.SANIPSource })},
		"Clients.SANIP.Addresses":                {"", `san_ip = ["127.0.0.1"]`, ofClient(func(c *sessions.Client) any { return c.SANIP })},
		"Clients.CA":                             {"", `ca = "certs/other/ca.pem"`, ofClient(func(c *sessions.Client) any { return len(c.CA) })},
		"Clients.SANNAIRealm":                    {"", `san_nairealm = ["a.example"]`, ofClient(func(c *sessions.Client) any { return c.NAIRealms })},
		"Clients.SubjectRDN":                     {"", `subject_rdn = ["UID=a"]`, ofClient(func(c *sessions.Client) any { return c.SubjectRDNs })},
		"Clients.SANURI":                         {"", `san_uri = ["urn:a"]`, ofClient(func(c *sessions.Client) any { return c.SANURI })},
		"Clients.Subject":                        {"", `subject = ["CN=a"]`, ofClient(func(c *sessions.Client) any { return c.Subjects })},
		"Clients.Issuer":                         {"", `issuer = ["CN=a"]`, ofClient(func(c *sessions.Client) any { return c.Issuers })},
		"Clients.CommonName":                     {"", `common_name = ["a"]`, ofClient(func(c *sessions.Client) any { return c.CommonNames })},
		"Clients.PolicyOID":                      {"", `policy_oid = ["1.2.3"]`, ofClient(func(c *sessions.Client) any { return c.PolicyOIDs })},
		"Clients.Secret":                         {"", `secret = "another"`, ofPolicy(func(c *relay.ClientConfig) any { return c.Secret })},
		"Clients.Packets":                        {"", `packets = ["access"]`, ofPolicy(func(c *relay.ClientConfig) any { return c.Allowed })},
		"Clients.Realms":                         {"", `realms = ["example.org"]`, ofPolicy(func(c *relay.ClientConfig) any { return c.Realms != nil })},
		"Clients.Operators":                      {"", "realms = [\"example.org\"]\noperators = [\"wbaid:*\"]", ofPolicy(func(c *relay.ClientConfig) any { return c.Realms != nil })},
		"Clients.RequireMessageAuthenticator":    {"", `require_message_authenticator = "all"`, ofPolicy(func(c *relay.ClientConfig) any { return c.Policy })},
		"Clients.RequireEAPMessageAuthenticator": {"", `require_eap_message_authenticator = false`, ofPolicy(func(c *relay.ClientConfig) any { return c.Policy })},
		"Clients.VerifyRequestAuthenticator":     {"", `verify_request_authenticator = false`, ofPolicy(func(c *relay.ClientConfig) any { return c.Policy })},
		"Clients.MaxConnections":                 {"", `max_connections = 9`, ofClient(func(c *sessions.Client) any { return c.MaxConnections })},
		"Clients.PacketsPerSecond":               {"", `packets_per_second = 9`, ofClient(func(c *sessions.Client) any { return c.PacketsPerSecond })},
		"Clients.OctetsPerSecond":                {"", `octets_per_second = 9`, ofClient(func(c *sessions.Client) any { return c.OctetsPerSecond })},
		"Clients.RulesRequest":                   {`rules_request = ["r"]`, "", ofRules},
		"Clients.RulesReply":                     {"", `rules_reply = ["r"]`, ofRules},
		"Clients.Source":                         {"", `source = "127.0.0.9"`, ofPolicy(func(c *relay.ClientConfig) any { return c.Source })},
		"Clients.SourcePool":                     {"", `source_pool = "127.1.0.0/16"`, ofPolicy(func(c *relay.ClientConfig) any { return c.Source })},
		"Clients.SourceFrom":                     {"", "source_pool = \"127.1.0.0/16\"\nsource_from = \"serial\"", ofPolicy(func(c *relay.ClientConfig) any { return c.Source })},
		"Clients.ServerSecret":                   {"", "source = \"127.0.0.9\"\nserver_secret = \"a-secret-of-its-own\"", ofPolicy(func(c *relay.ClientConfig) any { return c.Source })},
		"Clients.ReversePath":                    {"", `reverse_path = "drop"`, ofPolicy(func(c *relay.ClientConfig) any { return c.ReversePath })},
	}
}

func operationChanges() map[string]keyChange {
	return map[string]keyChange{
		// TestReloadReadsIncludedFiles is about the effect.
		"Include": {"[listen]\n", "include = [\"more/*.toml\"]\n[listen]\n", func(g *Gateway) any { return g.current.Load().Config.Include }},

		"Metrics.Address":     {"[metrics]\naddress = \"127.0.0.1:0\"", "[metrics]\naddress = \"\"", func(g *Gateway) any { return g.MetricsAddr().IsValid() }},
		"Metrics.Token":       {"", `token = "token"`, httpStatus("/metrics")},
		"Metrics.Hosts":       {"", `hosts = ["monitor.example"]`, httpStatusFor("monitor.example", "/metrics")},
		"Metrics.Certificate": {"", pair, httpStatus("/healthz")},
		"Metrics.PrivateKey":  {"", pair, httpStatus("/healthz")},
		"Metrics.ReadyWhen":   {"", `ready_when = "all"`, func(g *Gateway) any { return webSettings(g.current.Load().Plan).AllRoutes }},
		"Metrics.PProf":       {"", `pprof = true`, httpStatus("/debug/pprof/")},

		"Log.Level":             {"", `level = "error"`, func(g *Gateway) any { return g.logs.Level() }},
		"Log.Format":            {"", `format = "json"`, ofHub},
		"Log.Requests":          {"", `requests = true`, ofHub},
		"Log.User":              {"", `user = "full"`, ofHub},
		"Log.Realm":             {"", `realm = "hash"`, ofHub},
		"Log.Station":           {"", `station = "full"`, ofHub},
		"Log.HashSalt":          {`"salt"`, `"pepper"`, ofHub},
		"Log.FTicks":            {"", "fticks = \"eduroam\"\nfticks_country = \"DE\"", ofHub},
		"Log.FTicksCountry":     {"", "fticks = \"eduroam\"\nfticks_country = \"DE\"", ofHub},
		"Log.FTicksInstitution": {"", `fticks_institution = "1example.org"`, ofHub},
		"Log.FTicksSyslog":      {"", `fticks_syslog = "127.0.0.1:514"`, ofHub},

		"Tap.Socket": {`tap.sock`, `other.sock`, func(g *Gateway) any { return g.current.Load().tap.path }},
	}
}

// leaves returns the names of all fields of a struct type, those of structs inside
// of it and of its slices of structs with their parents' names.
func leaves(t reflect.Type, prefix string, each func(name string)) {
	for f := range fieldsOf(t) {
		name, of := prefix+f.Name, f.Type
		if of.Kind() == reflect.Slice {
			of = of.Elem()
		}
		if of.Kind() == reflect.Struct && of.PkgPath() == t.PkgPath() && of != reflect.TypeFor[config.Secret]() {
			leaves(of, name+".", each)
			continue
		}
		each(name)
	}
}

func fieldsOf(t reflect.Type) func(func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for i := range t.NumField() {
			if f := t.Field(i); f.IsExported() && !yield(f) {
				return
			}
		}
	}
}

// A change of any key has an effect at a reload, and so has changing it back. A new key
// without an entry here fails the test.
//
// Fault L5.
func TestEveryKeyChangesAtAReload(t *testing.T) {
	changes := keyChanges()
	leaves(reflect.TypeFor[config.Config](), "", func(name string) {
		behind := strings.HasPrefix(name, "Servers.") || strings.HasPrefix(name, "Routes.") || strings.HasPrefix(name, "Routing.")
		field, ofListener := strings.CutPrefix(name, "Listeners.Listen.")
		if ofListener && ofWholeGateway(field) {
			return
		}
		if _, known := changes[name]; !known && !behind && name != "Path" {
			t.Errorf("the key of %s has no entry: say how a change at a reload can be seen", name)
		}
	})
	file := keysFile(t)
	g := runPlan(t, planOf(t, file))
	put := func(text string) {
		t.Helper()
		gatewaytest.WriteFile(t, file, []byte(text))
		if err := g.Reload(); err != nil {
			t.Fatal(err)
		}
	}
	put(keysConfig) // like every later one: effects of the start must not count
	for name, c := range changes {
		before := c.see(g)
		put(c.text(t, name))
		if after := c.see(g); reflect.DeepEqual(before, after) {
			t.Errorf("%s: expected %q instead of %q to have an effect at a reload, got %v as before", name, c.to, c.from, after)
		}
		put(keysConfig)
		if again := c.see(g); !reflect.DeepEqual(before, again) {
			t.Errorf("%s: expected %v when it is changed back, got %v", name, before, again)
		}
	}
}

// keysFile returns the path of a file with keysConfig, beside what the changes name.
func keysFile(t *testing.T) string {
	t.Helper()
	dir, file := gatewaytest.Dir(t, keysConfig)
	if _, err := certs.WriteDir(filepath.Join(dir, "certs/other"), certs.DirOptions{}); err != nil {
		t.Fatal(err)
	}
	ca, err := certs.LoadSigner(filepath.Join(dir, "certs/dev/ca.pem"), filepath.Join(dir, "certs/dev/ca.key"))
	if err != nil {
		t.Fatal(err)
	}
	list, err := certstest.CRL(ca, time.Now(), time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	gatewaytest.WriteFile(t, filepath.Join(dir, "ca.crl"), list)
	gatewaytest.WriteFile(t, filepath.Join(dir, "nats.creds"), natsCredentials(t))
	gatewaytest.WriteFile(t, filepath.Join(dir, "tickets"), []byte("01ba4719c80b6fe911b091a7c05124b64eeece964e09c058ef8f9805daca546b"))
	return file
}

// A change of any key of a server, a route or [routing] is used: the rules are replaced, or
// the server is configured again.
func TestEveryKeyBehindTheFrontIsUsed(t *testing.T) {
	_, file := gatewaytest.Dir(t, keysConfig)
	current := planOf(t, file).Config
	for _, part := range []string{"Servers", "Routes", "Routing"} {
		next := planOf(t, file).Config
		v := reflect.ValueOf(next).Elem().FieldByName(part)
		if v.Kind() == reflect.Slice {
			v = v.Index(0)
		}
		for f := range fieldsOf(v.Type()) {
			field := v.FieldByName(f.Name)
			before := reflect.ValueOf(field.Interface())
			alter(t, part+"."+f.Name, field)
			if sameRules(current, next) {
				t.Errorf("expected a change of %s.%s to have an effect at a reload", part, f.Name)
			}
			if server, ok := v.Addr().Interface().(*config.Server); ok && !strings.HasPrefix(f.Name, "Rules") { // relay has these
				was, errWas := serverConfig(&current.Servers[0])
				is, errIs := serverConfig(server)
				if err := errors.Join(errWas, errIs); err != nil || reflect.DeepEqual(was, is) {
					t.Errorf("a change of %s.%s does not reach the server (%v)", part, f.Name, err)
				}
			}
			field.Set(before)
		}
		if !sameRules(current, next) {
			t.Errorf("%s: expected no change, got one", part)
		}
	}
	one, err := serverConfig(&current.Servers[0])
	if err != nil {
		t.Fatal(err)
	}
	if other, err := serverConfig(&current.Servers[0]); err != nil || !reflect.DeepEqual(one, other) {
		t.Errorf("two translations of one server differ (%v)", err)
	}
}

// alter gives a field another value.
func alter(t *testing.T, name string, field reflect.Value) {
	t.Helper()
	if name == "Servers.Health" { // one of few texts
		field.SetString(config.HealthStatusServer)
		return
	}
	switch v := field.Interface().(type) {
	case config.Secret:
		field.Set(reflect.ValueOf(config.NewSecret(string(v.Bytes()) + "x")))
		return
	case bool:
		field.SetBool(!v)
		return
	case []string:
		field.Set(reflect.ValueOf(append([]string{"x"}, v...)))
		return
	case netip.Addr:
		field.Set(reflect.ValueOf(netip.MustParseAddr("127.0.0.7")))
		return
	case []netip.Addr:
		field.Set(reflect.ValueOf(append([]netip.Addr{netip.MustParseAddr("192.0.2.77")}, v...)))
		return
	}
	switch {
	case field.Kind() == reflect.String:
		field.SetString(field.String() + "x")
	case field.CanInt():
		field.SetInt(field.Int() + 1)
	case field.CanUint():
		field.SetUint(field.Uint() + 1)
	default:
		t.Fatalf("%s is a %v: add how to alter one", name, field.Type())
	}
}
