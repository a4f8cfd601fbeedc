package config

import (
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/netip"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"radsec-gw/files"
)

// The parts of a file that is right; tests replace or add to them.
const (
	goodListen = "[listen]\ncertificate='s.pem'\nprivate_key='s.key'\nclient_ca='ca.pem'\n"
	goodClient = "[[client]]\nname='c'\n"
	goodServer = "[[server]]\nname='s'\naddress='127.0.0.1'\nsecret='0123456789abcdef'\n"
	goodRoute  = "[[route]]\nrealms=['*']\nservers=['s']\n"
)

// load writes text beside the files it may name, and loads it.
func load(t *testing.T, text string) (*Config, error) {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"s.pem", "s.key", "ca.pem"} {
		write(t, filepath.Join(dir, name), "PEM")
	}
	write(t, filepath.Join(dir, "empty.secret"), "\n")
	write(t, filepath.Join(dir, "a.secret"), "from a file\r\n")
	write(t, filepath.Join(dir, "long.secret"), strings.Repeat("x", maxSecretFile+1))
	path := filepath.Join(dir, "c.toml")
	write(t, path, text)
	return Load(path)
}

// One bad file for each message: the file, then the mistakes it must give, as
// "line: key: start of the text".
// Rules: P24, P56, P82, P102, P140
func TestMistakes(t *testing.T) {
	t.Setenv("CONFIG_TEST_EMPTY", "")
	client := func(lines string) string { return goodListen + goodServer + goodRoute + goodClient + lines } // client starts in line 12
	server := func(lines string) string { return goodListen + goodClient + goodRoute + goodServer + lines } // server starts in line 10
	route := func(lines string) string { return goodListen + goodClient + goodServer + lines }              // route starts in line 11
	listen := func(lines string) string { return goodClient + goodServer + goodRoute + goodListen + lines } // more in line 14
	for _, x := range []struct {
		name, text string
		want       []string
	}{
		{"not TOML", "[listen]\naddress = [\n", []string{"2: not TOML: unexpected EOF"}},
		{"secret without quotes", "[[client]]\nsecret=tiger\n", []string{"2: not TOML: expected a secret in quotes"}},
		{"key twice", "[log]\nlevel='info'\nlevel='info'\n", []string{"3: not TOML: Key 'log.level' has already been defined"}},
		{"nothing", "", []string{
			"0: listen.certificate: missing: expected the path", "0: listen.private_key: missing: ", "0: listen.client_ca: missing: ",
			"0: client: missing: expected at least one [[client]]", "0: server: missing: ", "0: route: missing: "}},

		{"unknown table", listen("[clients]\n"), []string{`14: clients: unknown key; expected in the file: listen, client, server, route, routing, metrics, log, tap (did you mean "client"?)`}},
		{"unknown key", listen("adress=[]\n"), []string{"14: listen.adress: unknown key; expected in [listen]: address, "}},
		{"unknown key in an array of tables", client("\nnetwork=['10.0.0.0/8']\n"), []string{"15: client[0].network: unknown key; expected in [client]: name, networks"}},
		{"table for array", goodListen + "[client]\nname='c'\n" + goodServer + goodRoute, []string{"5: client: expected tables [[client]] with doubled brackets, came a table"}},
		{"array for table", listen("[[log]]\n"), []string{"14: log: expected one table [log], came an array"}},
		{"array of something", goodListen + goodServer + goodRoute + "[log]\n[routing]\n", []string{"0: client: missing"}},
		{"elements no tables", "client=[\n1,\n{name='c'}]\n" + goodListen + goodServer + goodRoute, []string{"2: client[0]: expected a table [[client]], came the integer 1"}},

		{"string expected", listen("client_auth=1\n"), []string{"14: listen.client_auth: expected a string in quotes, came the integer 1"}},
		{"choice", listen("client_auth='required'\n"), []string{`14: listen.client_auth: expected "require", "optional" or "none", came "required" (did you mean "require"?)`}},
		{"min_tls", listen("min_tls='1.1'\n"), []string{`14: listen.min_tls: expected "1.2" or "1.3", came "1.1"`}},
		{"array expected", listen("address='0.0.0.0:2083'\n"), []string{`14: listen.address: expected an array of strings, came "0.0.0.0:2083": write ["0.0.0.0:2083"]`}},
		{"array of strings", listen("address=['0.0.0.0:2083',\n 2083]\n"), []string{"15: listen.address[1]: expected a string in quotes, came the integer 2083"}},
		{"no address", listen("address=[]\n"), []string{`14: listen.address: expected at least one address`}},
		{"address without IP", listen("address=[':2083']\n"), []string{`14: listen.address[0]: expected an IP address and a port such as "0.0.0.0:2083" or "[::]:2083", came ":2083": write "0.0.0.0:2083" or "[::]:2083"`}},
		{"address without port", listen("address=['127.0.0.1']\n"), []string{`14: listen.address[0]: expected an IP address and a port such as "0.0.0.0:2083" or "[::]:2083", came "127.0.0.1": the port is missing`}},
		{"address with large port", listen("address=['127.0.0.1:65536']\n"), []string{`14: listen.address[0]: expected an IP address and a port`}},
		{"address twice", listen("address=['[::]:2083', '[::]:2083']\n"), []string{`14: listen.address[1]: "[::]:2083" stands here twice`}},
		{"address taken in", listen("address=['0.0.0.0:2083', '127.0.0.1:2083']\n"), []string{`14: listen.address[1]: "127.0.0.1:2083" is taken in by the unspecified address`}},
		{"address of metrics", listen("address=['[::1]:2084', '0.0.0.0:2083']\n[metrics]\naddress='127.0.0.1:2083'\n"), []string{`16: metrics.address: "127.0.0.1:2083" is where listen.address[1] (line 14) listens`}},
		{"address of metrics by name", listen("address=['127.0.0.1:2083']\n[metrics]\naddress='localhost:2083'\n"), []string{`16: metrics.address: "localhost:2083" is where listen.address[0] (line 14) listens`}},
		{"missing file", strings.Replace(listen(""), "s.pem", "t.pem", 1), []string{`11: listen.certificate: expected a readable file, came "t.pem": there is no `}},
		{"directory for a file", strings.Replace(listen(""), "ca.pem", ".", 1), []string{`13: listen.client_ca: expected a readable file, came ".": `}},
		{"empty file name", strings.Replace(listen(""), "ca.pem", "", 1), []string{`13: listen.client_ca: expected a readable file, came "": the name is empty`}},
		{"unknown suite", listen("cipher_suites=['AES']\n"), []string{`14: listen.cipher_suites[0]: expected "TLS_`}},
		{"suite of TLS 1.3", listen("cipher_suites=['TLS_AES_128_GCM_SHA256']\n"), []string{`14: listen.cipher_suites[0]: expected "TLS_ECDHE`}},
		{"insecure suite", listen("cipher_suites=['TLS_RSA_WITH_RC4_128_SHA']\n"), []string{`14: listen.cipher_suites[0]: TLS_RSA_WITH_RC4_128_SHA is not secure (RFC 9325`}},
		{"crl that is not there", listen("crl=['ca.crl']\n"), []string{`14: listen.crl[0]: expected a readable file, came "ca.crl": there is no`}},
		{"crl_stale", listen("crl_stale='ignore'\n"), []string{`14: listen.crl_stale: expected "accept" or "refuse", came "ignore"`}},
		{"proxy_protocol", listen("proxy_protocol=['lb']\n"), []string{`14: listen.proxy_protocol[0]: expected an address range`}},
		{"no handshakes", listen("max_handshakes=0\n"), []string{`14: listen.max_handshakes: expected an integer of 1 or more, came the integer 0`}},
		{"version twice", listen("radius_versions=['1.1','1.1']\n"), []string{`14: listen.radius_versions[1]: "1.1" stands here twice`}},
		{"versions no array", listen("radius_versions='1.1'\n"), []string{`14: listen.radius_versions: expected an array of strings`}},
		{"unknown version", listen("radius_versions=['2']\n"), []string{`14: listen.radius_versions[0]: expected "1.0" or "1.1", came "2"`}},
		{"duration a number", listen("idle_timeout=10\n"), []string{`14: listen.idle_timeout: expected a duration in quotes such as "10s" or "5m", came the integer 10`}},
		{"duration without unit", listen("idle_timeout='10'\n"), []string{`14: listen.idle_timeout: expected a duration such as "500ms", "10s" or "5m", came "10"`}},
		{"negative duration", listen("idle_timeout='-1s'\n"), []string{`14: listen.idle_timeout: expected a duration that is not negative, came "-1s"`}},
		{"zero duration", listen("packet_timeout='0s'\n"), []string{`14: listen.packet_timeout: expected a duration above zero, came "0s"`}},
		{"number expected", listen("max_connections='1'\n"), []string{`14: listen.max_connections: expected an integer of 1 or more, came "1"`}},
		{"number too small", listen("max_connections=0\n"), []string{`14: listen.max_connections: expected an integer of 1 or more, came the integer 0`}},
		{"number no integer", listen("max_connections=1.5\n"), []string{`14: listen.max_connections: expected an integer of 1 or more, came the number 1.5`}},

		{"client without name", goodListen + goodServer + goodRoute + "[[client]]\n", []string{"12: client[0].name: missing: expected a name"}},
		{"empty name", goodListen + goodServer + goodRoute + "[[client]]\nname=''\n", []string{"13: client[0].name: expected a name, came an empty string"}},
		{"long name", goodListen + goodServer + goodRoute + "[[client]]\nname='" + strings.Repeat("x", 101) + "'\n", []string{"13: client[0].name: expected a name of at most 100 octets, came 101"}},
		{"name with a newline", goodListen + goodServer + goodRoute + "[[client]]\nname=\"a\\nb\"\n", []string{`13: client[0].name: expected a name of printable characters with no blanks around it, came "a\nb"`}},
		{"client name twice", client("[[client]]\nname='c'\n"), []string{`15: client[1].name: "c" is the name of line 13 already`}},
		{"network", client("networks=[\n'10.0.0.0/8',\n'10.0.0.0/33']\n"), []string{`16: client[0].networks[1]: expected an address range such as`}},
		{"network with host bits", client("networks=['10.0.0.1/8']\n"), []string{`14: client[0].networks[0]: expected a range without bits beyond its length, came "10.0.0.1/8": did you mean "10.0.0.0/8" or "10.0.0.1"?`}},
		{"fingerprint no hex", client("fingerprints=['sha256:zz']\n"), []string{`14: client[0].fingerprints[0]: expected a SHA-256 fingerprint, 32 octets of hex`}},
		{"fingerprint of SHA-1", client("fingerprints=['" + strings.Repeat("ab:", 19) + "ab" + "']\n"), []string{`14: client[0].fingerprints[0]: expected a SHA-256 fingerprint, 32 octets of hex such as "sha256:12:34:…", came 20 octets, the length of SHA-1`}},
		{"fingerprint too short", client("fingerprints=['abcd']\n"), []string{`14: client[0].fingerprints[0]: expected a SHA-256 fingerprint, 32 octets of hex such as "sha256:12:34:…", came 2 octets`}},
		{"name in the certificate", client("san_dns=['a.*.example','*.example','']\n"), []string{`14: client[0].san_dns[0]: expected a host name`, `14: client[0].san_dns[1]: expected`, `14: client[0].san_dns[2]: expected`}},
		{"other names in the certificate", client("san_ip=['ap1']\nsan_uri=['ap1']\nsubject=['ap1']\nissuer=['']\ncommon_name=['']\npolicy_oid=['1.x']\n"), []string{
			`14: client[0].san_ip[0]: expected an IP address, or "source"`, `15: client[0].san_uri[0]: expected a URI with its scheme`,
			`16: client[0].subject[0]: expected a distinguished name`, `17: client[0].issuer[0]: expected a distinguished name`,
			`18: client[0].common_name[0]: expected a common name`, `19: client[0].policy_oid[0]: expected an object identifier`}},
		{"certificates that are not there", client("ca='none.pem'\n"), []string{`14: client[0].ca: expected a readable file, came "none.pem": there is no `}},
		{"one of several", client("ca=['ca.pem',\n'none.pem',\n3]\n"), []string{`15: client[0].ca[1]: expected a readable file`, `16: client[0].ca[2]: expected a string in quotes`}},
		{"neither a file nor files", client("ca=3\n"), []string{`14: client[0].ca: expected an array of strings, came the integer 3`}},
		{"intermediates", listen("intermediates=['none.pem']\n"), []string{`14: listen.intermediates[0]: expected a readable file, came "none.pem"`}},
		{"a wildcard for realms in certificates", client("san_nairealm=['*.example.org','']\n"), []string{`14: client[0].san_nairealm[0]: expected a realm such as "example.org", got "*.example.org"`, `14: client[0].san_nairealm[1]: `}},
		{"a client's realms", client("realms=['*.org','a@b.example','x.example','X.example']\n"), []string{`14: client[0].realms[0]: expected a suffix of two labels`, `14: client[0].realms[1]: expected a realm`, `14: client[0].realms[3]: "X.example" is listed twice`}},
		{"no attribute", client("subject_rdn=['UID','=x','UID=']\n"), []string{`14: client[0].subject_rdn[0]: expected one attribute of the subject such as "UID=EXAMPLE.ORG", got "UID"`, `14: client[0].subject_rdn[1]: `, `14: client[0].subject_rdn[2]: `}},
		{"empty secret", client("secret=''\n"), []string{`14: client[0].secret: expected a secret, got an empty one`}},
		{"empty secret in a file", client("secret_file='empty.secret'\n"), []string{`14: client[0].secret_file: /`}},
		{"long secret in a file", client("secret_file='long.secret'\n"), []string{`14: client[0].secret_file: expected a readable file, got "long.secret": `}},
		{"no secret file", client("secret_file='none.secret'\n"), []string{`14: client[0].secret_file: expected a readable file, got "none.secret": there is no `}},
		{"empty secret in the environment", client("secret_env='CONFIG_TEST_EMPTY'\n"), []string{`14: client[0].secret_env: CONFIG_TEST_EMPTY: expected a secret, got an empty one (RFC 2865 §3)`}},
		{"unset variable", client("secret_env='CONFIG_TEST_UNSET'\n"), []string{`14: client[0].secret_env: expected the name of an environment variable, got "CONFIG_TEST_UNSET", which is not set`}},
		{"secret no string", client("secret=4711\n"), []string{`14: client[0].secret: expected a string in quotes, got an integer`}},
		{"two secrets", client("secret='x'\nsecret_file='a.secret'\n"), []string{`15: client[0].secret_file: expected only one of secret, secret_file or secret_env`}},
		{"packets", client("packets=['access','acounting']\n"), []string{`14: client[0].packets[1]: expected "access", "accounting", "coa" or "disconnect", came "acounting" (did you mean "accounting"?)`}},
		{"packets twice", client("packets=['coa','coa']\n"), []string{`14: client[0].packets[1]: "coa" stands here twice`}},
		{"no packets", client("packets=[]\n"), []string{`14: client[0].packets: expected at least one of`}},
		{"boolean", client("verify_request_authenticator='yes'\n"), []string{`14: client[0].verify_request_authenticator: expected true or false, came "yes"`}},
		{"require", client("require_message_authenticator=true\n"), []string{`14: client[0].require_message_authenticator: expected a string in quotes, came true`}},

		{"server alone", goodListen + goodClient + goodRoute + "[[server]]\n", []string{
			`9: route[0].servers[0]: expected the name of a [[server]], came "s"`,
			"10: server[0].name: missing", "10: server[0].address: missing", "10: server[0].secret: missing: expected one of secret, secret_file or secret_env"}},
		{"server name twice", server(goodServer), []string{`15: server[1].name: "s" is the name of line 11 already`}},
		{"server address with port", strings.Replace(server(""), "127.0.0.1", "127.0.0.1:1812", 1), []string{`12: server[0].address: expected an IP address or a host name without a port, came "127.0.0.1:1812": ports go into`}},
		{"mistyped server address", strings.Replace(server(""), "127.0.0.1", "127.0.0.256", 1), []string{`12: server[0].address: expected an IP address or a host name, came "127.0.0.256"`}},
		{"server address of nobody", strings.Replace(server(""), "127.0.0.1", "0.0.0.0", 1), []string{`12: server[0].address: expected an IP address or a host name that one server answers at, came "0.0.0.0"`}},
		{"port out of range", server("auth_port=65536\n"), []string{`14: server[0].auth_port: expected an integer from 0 to 65535, came the integer 65536`}},
		{"no port at all", server("auth_port=0\nacct_port=0\ncoa_port=0\n"), []string{
			`9: route[0].servers[0]: server "s" has auth_port = 0, but this route sends it "access" packets`,
			`9: route[0].servers[0]: server "s" has acct_port = 0, but this route sends it "accounting" packets`,
			`10: server[0]: expected at least one of auth_port, acct_port and coa_port`}},
		{"health", server("health='ping'\n"), []string{`14: server[0].health: expected "status-server", "access-request" or "none", came "ping"`}},
		{"probe without user", server("health='access-request'\n"), []string{
			`10: server[0].health_password: missing: expected one of health_password, health_password_file or health_password_env`, `10: server[0].health_user: missing: expected the User-Name`}},
		{"probe with empty user", server("health='access-request'\nhealth_user=''\nhealth_password='x'\n"), []string{`15: server[0].health_user: expected 1 to 253 octets, came 0`}},
		{"probe with empty password", server("health='access-request'\nhealth_user='x'\nhealth_password=''\n"), []string{`16: server[0].health_password: expected a secret, got an empty one`}},
		{"probe with long password", server("health='access-request'\nhealth_user='x'\nhealth_password='" + strings.Repeat("x", 129) + "'\n"), []string{`16: server[0].health_password: expected a password of at most 128 octets (RFC 2865 §5.2), came 129`}},
		{"NAS identifiers without a NAS", server("nas_identifier=['x']\n"), []string{`10: server[0]: nas_identifier and nas_ip_address go with nas = true only`}},
		{"NAS without a port", server("nas=true\ncoa_port=0\n"), []string{`14: server[0].nas: expected a coa_port above zero`}},
		{"NAS by host name", strings.Replace(server("nas=true\n"), "127.0.0.1", "ap.example", 1), []string{`14: server[0].nas: expected nas_identifier or nas_ip_address`}},
		{"NAS called nothing", server("nas=true\nnas_ip_address=[]\n"), []string{`14: server[0].nas: expected nas_identifier or nas_ip_address`}},
		{"NAS identifier twice", server("nas=true\nnas_identifier=['x','x','']\n"), []string{`15: server[0].nas_identifier[1]: "x" is listed twice`, `15: server[0].nas_identifier[2]: expected 1 to 253 bytes, got 0`}},
		{"NAS address", server("nas=true\nnas_ip_address=['ap','::1','::1']\n"), []string{`15: server[0].nas_ip_address[0]: expected an IP address such as`, `15: server[0].nas_ip_address[2]: "::1" is listed twice`}},
		{"operators of a route without CoA", route("[[route]]\noperators=['wbaid:X']\nservers=['s']\n"), []string{`12: route[0].operators: expected "coa" or "disconnect" in packets`}},
		{"neither realms nor operators", route("[[route]]\noperators=[]\nservers=['s']\n"), []string{`11: route[0].realms: missing`}},
		{"realm format", route(goodRoute + "[routing]\nrealm_formats=['suffix','prefx']\n"), []string{`15: routing.realm_formats[1]: expected "suffix", "prefix" or "machine", came "prefx" (did you mean "prefix"?)`}},
		{"no realm format", route(goodRoute + "[routing]\nrealm_formats=[]\n"), []string{`15: routing.realm_formats: expected at least one of`}},
		{"empty loop secret", route(goodRoute + "[routing]\nloop_marker_secret=''\n"), []string{`15: routing.loop_marker_secret: expected a secret, got an empty one`}},
		{"user without probe", server("health_user='x'\n"), []string{`10: server[0]: health_user and health_password go with health = "access-request" only, came health = "status-server"`}},
		{"suspicion", server("suspect_after=0\n"), []string{`14: server[0].suspect_after: expected an integer of 1 or more, came the integer 0`}},
		{"failing at once", server("failing_after=0\n"), []string{`14: server[0].failing_after: expected an integer of 1 or more`}},
		{"hasty look-ups", server("resolve_interval='500ms'\n"), []string{`14: server[0].resolve_interval: expected "0s", or 1s or more, got 500ms`}},
		{"look-ups a number", server("resolve_interval=30\n"), []string{`14: server[0].resolve_interval: expected a duration in quotes such as "10s" or "5m"`}},
		{"expand as a string", strings.Replace(server("expand='yes'\n"), "127.0.0.1", "pool.internal", 1), []string{`14: server[0].expand: expected true or false`}},
		{"expand of an address", server("expand=true\n"), []string{`14: server[0].expand: expected a host name in address with expand = true, got the IP address "127.0.0.1"`}},
		{"name of an address", server("[[server]]\nname='s@10.0.0.1'\naddress='10.0.0.1'\nsecret='0123456789abcdef'\n"), []string{`15: server[1].name: expected another name, got "s@10.0.0.1", which stands for an address of server "s" (line 10)`}},
		{"hasty watchdog", server("watchdog_interval='5s'\n"), []string{`14: server[0].watchdog_interval: expected 6s or more (RFC 3539 §3.4.1), came 5s`}},
		{"no time between probes", server("probe_interval='0s'\n"), []string{`14: server[0].probe_interval: expected a duration above zero`}},
		{"never down, never up", server("down_after=0\nup_after=0\n"), []string{`14: server[0].down_after: expected an integer of 1 or more`, `15: server[0].up_after: expected an integer of 1 or more`}},
		{"reverse path", client("reverse_path='on'\n"), []string{`14: client[0].reverse_path: expected "off", "drop" or "nak", came "on"`}},
		{"move on", goodListen + goodClient + goodServer + goodRoute + "move_on_after=0\n", []string{`14: route[0].move_on_after: expected an integer from 1 to 100, came the integer 0`}},
		{"timestamps", listen("[routing]\nevent_timestamp_window='-1s'\nrequire_event_timestamp=1\n"), []string{
			`15: routing.event_timestamp_window: expected a duration that is not negative`, `16: routing.require_event_timestamp: expected true or false`}},
		{"sockets", server("max_sockets=0\n"), []string{`14: server[0].max_sockets: expected an integer from 1 to 1024, came the integer 0`}},
		{"schedule without end", server("retransmit_duration='0s'\n"), []string{`14: server[0].retransmit_duration: expected a duration above zero`}},
		{"schedule shorter than its first step", server("retransmit_duration='1s'\n"), []string{`14: server[0].retransmit_duration: expected retransmit_initial (2s) or more, came 1s`}},
		{"choice without what follows from it", strings.Replace(listen("client_auth='non'\n"), "client_ca='ca.pem'\n", "", 1), []string{`13: listen.client_auth: expected "require", "optional" or "none", came "non"`}},
		{"packets without what follows from them", server("acct_port=0\n[[route]]\nrealms=['*']\npackets=['acces']\nservers=['s']\n"), []string{
			`9: route[0].servers[0]: server "s" has acct_port = 0`, `17: route[1].packets[0]: expected "access", "accounting", "coa" or "disconnect", came "acces"`}},
		{"schedule that shrinks", server("retransmit_max='1s'\n"), []string{`14: server[0].retransmit_max: expected retransmit_initial (2s) or more, came 1s`}},

		{"route alone", route("[[route]]\n"), []string{"11: route[0].realms: missing", "11: route[0].servers: missing"}},
		{"empty route", route("[[route]]\nrealms=[]\nservers=[]\n"), []string{"12: route[0].realms: expected at least one realm", "13: route[0].servers: expected the name of at least one"}},
		{"dangling server", route("[[route]]\nrealms=['*']\nservers=['s','t']\n"), []string{`13: route[0].servers[1]: expected the name of a [[server]], came "t"`}},
		{"patience without unit", goodListen + goodClient + goodServer + goodRoute + "patience='10'\n", []string{`14: route[0].patience: expected a duration such as "500ms", "10s" or "5m"`}},
		{"negative patience", goodListen + goodClient + goodServer + goodRoute + "patience='-1s'\n", []string{`14: route[0].patience: expected a duration that is not negative`}},
		{"server twice", route("[[route]]\nrealms=['*']\nservers=['s','s']\n"), []string{`13: route[0].servers[1]: "s" stands here twice`}},
		{"server without the port", server("coa_port=0\n" + "[[route]]\nrealms=['x']\npackets=['coa']\nservers=['s']\n"), []string{`18: route[1].servers[0]: server "s" has coa_port = 0, but this route sends it "coa" packets`}},
		{"realm with user", route("[[route]]\nrealms=['@x.org']\nservers=['s']\n"), []string{`12: route[0].realms[0]: expected a realm, which is what follows the last "@"`}},
		{"realm with blank", route("[[route]]\nrealms=['x org']\nservers=['s']\n"), []string{`12: route[0].realms[0]: expected a realm without blanks`}},
		{"star inside", route("[[route]]\nrealms=['x.*']\nservers=['s']\n"), []string{`12: route[0].realms[0]: expected "*" alone`}},
		{"long realm", route("[[route]]\nrealms=['" + strings.Repeat("x", 254) + "']\nservers=['s']\n"), []string{`12: route[0].realms[0]: expected a realm of at most 253 octets (RFC 7542 §2.3), came 254`}},
		{"empty label", route("[[route]]\nrealms=['x..org']\nservers=['s']\n"), []string{`12: route[0].realms[0]: expected a realm without empty labels`}},
		{"suffix of one label", route("[[route]]\nrealms=['*.com']\nservers=['s']\n"), []string{`12: route[0].realms[0]: expected a suffix of two labels or more`}},
		{"bad pattern", route("[[route]]\nrealms=['~(']\nservers=['s']\n"), []string{`12: route[0].realms[0]: expected a regular expression after "~"`}},
		{"empty pattern", route("[[route]]\nrealms=['~']\nservers=['s']\n"), []string{`12: route[0].realms[0]: expected a regular expression after "~", came none`}},
		{"realm twice", route("[[route]]\nrealms=['X.org']\nservers=['s']\n[[route]]\nrealms=[\n'x.ORG']\npackets=['coa','accounting']\nservers=['s']\n"), []string{`16: route[1].realms[0]: "x.ORG" is routed by line 12 already for "accounting" packets`}},
		{"balance", route("[[route]]\nrealms=['*']\nservers=['s']\nbalance='random'\n"), []string{`14: route[0].balance: expected "failover", "least-outstanding" or "sticky", came "random"`}},
		{"on_unreachable", route("[[route]]\nrealms=['*']\nservers=['s']\non_unreachable='nak'\n"), []string{`14: route[0].on_unreachable: expected "silent", "reject" or "protocol-error", came "nak"`}},
		{"on_unroutable", listen("[routing]\non_unroutable='x'\n"), []string{`15: routing.on_unroutable: expected "silent", "reject" or "protocol-error", came "x"`}},

		{"metrics address", listen("[metrics]\naddress='9713'\n"), []string{`15: metrics.address: expected a host and a port such as "127.0.0.1:9713"`}},
		{"metrics port", listen("[metrics]\naddress=':http'\n"), []string{`15: metrics.address: expected a host and a port`}},
		{"level", listen("[log]\nlevel='warning'\n"), []string{`15: log.level: expected "debug", "info", "warn" or "error", came "warning"`}},
		{"metrics certificate without key", listen("[metrics]\ncertificate='c.pem'\n"), []string{`14: metrics.private_key: missing: expected the path of a PEM file, since certificate is given`, `15: metrics.certificate: expected a readable file`}},
		{"token twice", listen("[metrics]\ntoken='hush'\ntoken_env='TOKEN'\n"), []string{`16: metrics.token_env: expected only one of token, token_file or token_env, got a second one`}},
		{"empty token", listen("[metrics]\ntoken=''\n"), []string{`15: metrics.token: expected a secret, got an empty one`}},
		{"user", listen("[log]\nuser='half'\n"), []string{`15: log.user: expected "full", "hash", "cut" or "none", came "half"`}},
		{"fticks", listen("[log]\nfticks='a#b'\nfticks_country='DE'\n"), []string{`15: log.fticks: expected the federation's name`}},
		{"fticks alone", listen("[log]\nfticks='eduroam'\n"), []string{`14: log.fticks_country: missing: expected the country visited`}},
		{"fticks country", listen("[log]\nfticks='eduroam'\nfticks_country='de'\n"), []string{`16: log.fticks_country: expected two capital letters`}},
		{"fticks institution", listen("[log]\nfticks_institution='1#x'\n"), []string{`15: log.fticks_institution: expected letters, digits`}},
		{"fticks syslog", listen("[log]\nfticks_syslog='host'\n"), []string{`15: log.fticks_syslog: expected a host and a port`}},
		{"tap socket", listen("[tap]\nsocket='/" + strings.Repeat("x", 100) + "'\n"), []string{`15: tap.socket: expected a path of at most 100 octets, came 101`}},
		{"format", listen("[log]\nformat='xml'\n"), []string{`15: log.format: expected "text" or "json", came "xml"`}},

		{"all at once, by line", client("max_connections=-1\n[log]\nlevel=1\n[[server]]\nname='s'\n"), []string{
			"14: client[0].max_connections: ", "16: log.level: ", "17: server[1].address: ", "17: server[1].secret: ", "18: server[1].name: "}},
	} {
		t.Run(x.name, func(t *testing.T) {
			_, err := load(t, x.text)
			ms, ok := err.(Mistakes)
			if !ok {
				t.Fatalf("expected mistakes, came %v", err)
			}
			for i, m := range ms {
				got := fmt.Sprintf("%d: ", m.Line)
				if m.Key != "" {
					got += m.Key + ": "
				}
				got += m.Text
				if i >= len(x.want) || !strings.HasPrefix(got, x.want[i]) {
					t.Errorf("mistake %d is\n     %s\nwant %q", i, got, x.want)
				}
			}
			if len(ms) < len(x.want) {
				t.Errorf("expected the mistakes %q, came only:\n%v", x.want, ms)
			}
		})
	}
}

func TestNoFile(t *testing.T) {
	_, err := Load("/nowhere/c.toml")
	if _, ok := err.(Mistakes); !ok || !strings.Contains(err.Error(), "there is no /nowhere/c.toml") {
		t.Errorf("expected a mistake that names the file, came %v", err)
	}
}

// What a file gives arrives as typed values, and an explicit zero is not a default.
func TestValues(t *testing.T) {
	t.Setenv("CONFIG_TEST_SECRET", "from the environment")
	sum := sha256.Sum256([]byte("x"))
	c, err := load(t, goodListen+`
address = ["127.0.0.1:0", "[::1]:2083"]
min_tls = "1.3"
cipher_suites = ["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"]
idle_timeout = "0s"
[[client]]
name = "one"
networks = ["10.0.0.0/8", "::1"]
fingerprints = ["`+fmt.Sprintf("%x", sum)+`", "SHA256: `+fmt.Sprintf("% X", sum)+`"]
san_dns = ["*.Campus.example", "ap1."]
secret_env = "CONFIG_TEST_SECRET"
max_connections = 0
require_eap_message_authenticator = false
[[client]]
name = "two"
secret_file = "a.secret"
`+goodServer+`coa_port = 0
retransmit_max = "0s"
retransmit_count = 0
resolve_interval = "0s"
failing_after = 7
[[server]]
name = "pool@dc1"
address = "radius.internal"
secret = "0123456789abcdef"
expand = true
`+goodRoute+"balance = 'sticky'\npatience = '0s'\n[metrics]\naddress = ''\n[log]\nlevel='debug'\n")
	if err != nil {
		t.Fatal(err)
	}
	one := c.Clients[0]
	for _, x := range []struct {
		name      string
		got, want any
	}{
		{"listen.address", c.Listen.Address, []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0"), netip.MustParseAddrPort("[::1]:2083")}},
		{"listen.min_tls", c.Listen.MinTLS, uint16(tls.VersionTLS13)},
		{"listen.cipher_suites", c.Listen.CipherSuites, []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}},
		{"listen.idle_timeout", c.Listen.IdleTimeout, time.Duration(0)},
		{"listen.packet_timeout", c.Listen.PacketTimeout, 30 * time.Second},
		{"client[0].networks", one.Networks, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}},
		{"client[0].fingerprints", one.Fingerprints, [][32]byte{sum, sum}},
		{"client[0].san_dns", one.SANDNS, []string{"*.campus.example", "ap1"}},
		{"client[0].secret", string(one.Secret.Octets()), "from the environment"},
		{"client[0].max_connections", one.MaxConnections, 0},
		{"client[0].require_eap_message_authenticator", one.RequireEAPMessageAuthenticator, false},
		{"client[1].secret", string(c.Clients[1].Secret.Octets()), "from a file"},
		{"client[1].max_connections", c.Clients[1].MaxConnections, 100},
		{"server[0].coa_port", c.Servers[0].CoAPort, uint16(0)},
		{"server[0].retransmit_max", c.Servers[0].RetransmitMax, time.Duration(0)},
		{"server[0].retransmit_count", c.Servers[0].RetransmitCount, 0},
		{"server[0].resolve_interval", c.Servers[0].ResolveInterval, time.Duration(0)},
		{"server[0].failing_after", c.Servers[0].FailingAfter, 7},
		{"server[0].expand", c.Servers[0].Expand, false},
		{"server[1].resolve_interval", c.Servers[1].ResolveInterval, 30 * time.Second},
		{"server[1].failing_after", c.Servers[1].FailingAfter, 5},
		{"server[1].expand", c.Servers[1].Expand, true},
		{"route[0].balance", c.Routes[0].Balance, BalanceSticky},
		{"route[0].patience", c.Routes[0].Patience, time.Duration(0)},
		{"metrics.address", c.Metrics.Address, ""},
		{"log.level", c.Log.Level, slog.LevelDebug},
	} {
		if !reflect.DeepEqual(x.got, x.want) {
			t.Errorf("%s is %v, expected %v", x.name, x.got, x.want)
		}
	}
}

// A client's secret is "radsec" unless the file says otherwise, RFC 6614 §2.3 (4).
// Rules: P19
func TestDefaultClientSecret(t *testing.T) {
	c, err := load(t, goodListen+goodClient+goodServer+goodRoute)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(c.Clients[0].Secret.Octets()); got != "radsec" {
		t.Errorf("the client's secret is %q, expected \"radsec\"", got)
	}
}

// Whatever the octets, the answer is a configuration that keeps the promises
// of its types or mistakes that have a place.
func FuzzLoad(f *testing.F) {
	f.Add(goodListen + goodClient + goodServer + goodRoute)
	f.Add("[listen]\nclient_auth='none'\naddress=['[::1%eth0]:1']\n[[client]]\nfingerprints=['']\nnetworks=['::/0']\n")
	f.Add("client=[{name='x'}]\nroute=[{realms=['~(', '*.', '.'], servers=[[]]}]\n")
	f.Add("[server]\n[[a.b]]\n\"\" = '''\n'''\n")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parse(filepath.Join(dir, "c.toml"), text, files.NewReader().Snapshot(t.Context()))
		if err == nil {
			c.Warnings()
			if len(c.Clients) == 0 || len(c.Servers) == 0 || len(c.Routes) == 0 || len(c.Listen.Address) == 0 {
				t.Fatalf("a configuration without something to do: %+v", c)
			}
			return
		}
		ms, ok := err.(Mistakes)
		if !ok || len(ms) == 0 {
			t.Fatalf("expected mistakes, came %v", err)
		}
		for _, m := range ms {
			if m.Line < 0 || m.Line > strings.Count(text, "\n")+1 || m.Text == "" {
				t.Fatalf("a mistake without place or text: %+v", m)
			}
		}
	})
}

// Rules: P120
func TestRadiusVersions(t *testing.T) {
	for text, want := range map[string]string{
		"":                                "[1.0 1.1]", // RFC 9765 §3.3
		"radius_versions=['1.0']\n":       "[1.0]",
		"radius_versions=['1.1','1.0']\n": "[1.1 1.0]",
		"radius_versions=['1.1']\n":       "[1.1]",
		"radius_versions=[]\n":            "[]", // no ALPN
	} {
		c, err := load(t, goodListen+text+goodClient+goodServer+goodRoute)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(c.Listen.RadiusVersions); got != want {
			t.Errorf("%q: versions %s, want %s", text, got, want)
		}
	}
}

// Load gives beside the mistakes what could be read, so that the files which are
// there can be looked into: a list keeps the places of its elements.
func TestReadBesideMistakes(t *testing.T) {
	c, err := load(t, goodListen+"crl=['nofile', 3, 's.pem']\nmax_handshakes=0\n"+goodClient+goodServer+"[[route]]\nrealms=['x', 1, '*']\nservers=['s']\n")
	ms, ok := err.(Mistakes)
	if !ok || len(ms) != 4 {
		t.Fatalf("expected four mistakes, came %v", err)
	}
	if c == nil || len(c.Clients) != 1 || len(c.Servers) != 1 || filepath.Base(c.Listen.Certificate) != "s.pem" {
		t.Fatalf("expected what is right in the file beside its mistakes, came %+v", c)
	}
	if l := c.Listen.CRL; len(l) != 3 || l[0] != "" || l[1] != "" || filepath.Base(l[2]) != "s.pem" {
		t.Errorf("expected the list that can be read as the third, and nothing for the others, came %q", l)
	}
	if r := c.Routes[0].Realms; r != nil {
		t.Errorf("expected no realms where one is no string, came %q", r)
	}
	if !ms.Has("listen.crl[0]") || ms.Has("listen.crl[2]") {
		t.Errorf("expected a mistake at listen.crl[0] and none at listen.crl[2], came\n%v", ms)
	}
	if c, err := load(t, "["); c != nil || err == nil {
		t.Errorf("expected nothing beside the mistake that a file is no TOML, came %+v", c)
	}
}

// A route cannot have more servers than udpback chooses among.
func TestTooManyServers(t *testing.T) {
	text, names := goodListen+goodClient, []string{}
	for i := range maxRouteServers + 1 {
		names = append(names, fmt.Sprintf("'s%d'", i))
		text += fmt.Sprintf("[[server]]\nname='s%d'\naddress='127.0.0.1'\nsecret='0123456789abcdef'\n", i)
	}
	_, err := load(t, text+"[[route]]\nrealms=['*']\nservers=["+strings.Join(names, ",")+"]\n")
	if err == nil || !strings.Contains(err.Error(), "route[0].servers: expected at most 64 servers, came 65") {
		t.Errorf("expected a mistake about 65 servers, came %v", err)
	}
}

// A NAS is called by its address unless the file says otherwise; a route may have
// operators alone.
// Rules: P87, P90
func TestNASAndOperators(t *testing.T) {
	for _, x := range []struct {
		server, address string
		identifiers     string
		addresses       string
	}{
		{"", "127.0.0.1", "[]", "[]"},
		{"nas=true\n", "192.168.0.7", "[]", "[192.168.0.7]"},
		{"nas=true\n", "::ffff:192.168.0.7", "[]", "[192.168.0.7]"},
		{"nas=true\nnas_identifier=['ap-7','AP 7']\n", "fd00::7", "[ap-7 AP 7]", "[fd00::7]"},
		{"nas=true\nnas_identifier=['ap-7']\nnas_ip_address=[]\n", "fd00::7", "[ap-7]", "[]"},
		{"nas=true\nnas_identifier=['ap-7']\n", "ap.example", "[ap-7]", "[]"},
		{"nas=true\nnas_ip_address=['192.0.2.1','2001:db8::1']\n", "ap.example", "[]", "[192.0.2.1 2001:db8::1]"},
	} {
		c, err := load(t, goodListen+goodClient+strings.Replace(goodServer, "127.0.0.1", x.address, 1)+x.server+"[[route]]\noperators=['wbaid:*', 'icc:x']\npackets=['coa']\nservers=['s']\n")
		if err != nil {
			t.Fatalf("%q: %v", x.server, err)
		}
		s := c.Servers[0]
		if got := fmt.Sprint(s.NASIdentifier); got != x.identifiers {
			t.Errorf("%q at %s is called %s, expected %s", x.server, x.address, got, x.identifiers)
		}
		if got := fmt.Sprint(s.NASIPAddress); got != x.addresses {
			t.Errorf("%q at %s has NAS addresses %s, expected %s", x.server, x.address, got, x.addresses)
		}
		if r := c.Routes[0]; fmt.Sprint(r.Operators) != "[wbaid:* icc:x]" || len(r.Realms) != 0 {
			t.Errorf("the route has operators %q and realms %q", r.Operators, r.Realms)
		}
	}
}

// Rules: P31, P137
func TestRoutingKeys(t *testing.T) {
	const all = "[routing]\nrealm_formats=['machine','suffix']\nloop_marker=false\nloop_marker_secret_file='a.secret'\n"
	c, err := load(t, goodListen+goodClient+goodServer+goodRoute+all)
	if err != nil {
		t.Fatal(err)
	}
	if r := c.Routing; fmt.Sprint(r.RealmFormats) != "[machine suffix]" || r.LoopMarker || r.LoopMarkerSecret.Len() == 0 {
		t.Errorf("[routing] reads %+v", r)
	}
	if c, err = load(t, goodListen+goodClient+goodServer+goodRoute); err != nil {
		t.Fatal(err)
	}
	if r := c.Routing; fmt.Sprint(r.RealmFormats) != "[suffix]" || !r.LoopMarker || r.LoopMarkerSecret.Len() != 0 {
		t.Errorf("the defaults of [routing] are %+v", r)
	}
}
