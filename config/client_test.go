package config

import (
	"strings"
	"testing"
)

// Rules: P24
func TestMistakesOfClient(t *testing.T) {
	t.Setenv("CONFIG_TEST_EMPTY", "")
	wantMistakes(t, []mistaken{
		{"client without name", goodListen + goodServer + goodRoute + "[[client]]\n", []string{"12: client[0].name: missing: expected a name"}},
		{"empty name", goodListen + goodServer + goodRoute + "[[client]]\nname=''\n", []string{"13: client[0].name: expected a name, got an empty string"}},
		{"long name", goodListen + goodServer + goodRoute + "[[client]]\nname='" + strings.Repeat("x", 101) + "'\n", []string{"13: client[0].name: expected a name of at most 100 bytes, got 101"}},
		{"name with a newline", goodListen + goodServer + goodRoute + "[[client]]\nname=\"a\\nb\"\n", []string{`13: client[0].name: expected a name of printable characters with no blanks around it, got "a\nb"`}},
		{"client name twice", inClient("[[client]]\nname='c'\n"), []string{`15: client[1].name: "c" is already used on line 13`}},
		{"network", inClient("networks=[\n'10.0.0.0/8',\n'10.0.0.0/33']\n"), []string{`16: client[0].networks[1]: expected an address range such as`}},
		{"network with host bits", inClient("networks=['10.0.0.1/8']\n"), []string{`14: client[0].networks[0]: expected a range without bits beyond its length, got "10.0.0.1/8": did you mean "10.0.0.0/8" or "10.0.0.1"?`}},
		{"fingerprint no hex", inClient("fingerprints=['sha256:zz']\n"), []string{`14: client[0].fingerprints[0]: expected a SHA-256 fingerprint, 32 bytes of hex`}},
		{"fingerprint of SHA-1", inClient("fingerprints=['" + strings.Repeat("ab:", 19) + "ab" + "']\n"), []string{`14: client[0].fingerprints[0]: expected a SHA-256 fingerprint, 32 bytes of hex such as "sha256:12:34:…", got 20 bytes, the length of SHA-1`}},
		{"fingerprint too short", inClient("fingerprints=['abcd']\n"), []string{`14: client[0].fingerprints[0]: expected a SHA-256 fingerprint, 32 bytes of hex such as "sha256:12:34:…", got 2 bytes`}},
		{"name in the certificate", inClient("san_dns=['a.*.example','*.example','']\n"), []string{`14: client[0].san_dns[0]: expected a host name`, `14: client[0].san_dns[1]: expected`, `14: client[0].san_dns[2]: expected`}},
		{"other names in the certificate", inClient("san_ip=['ap1']\nsan_uri=['ap1']\nsubject=['ap1']\nissuer=['']\ncommon_name=['']\npolicy_oid=['1.x']\n"), []string{
			`14: client[0].san_ip[0]: expected an IP address, or "source"`, `15: client[0].san_uri[0]: expected a URI with its scheme`,
			`16: client[0].subject[0]: expected a distinguished name`, `17: client[0].issuer[0]: expected a distinguished name`,
			`18: client[0].common_name[0]: expected a common name`, `19: client[0].policy_oid[0]: expected an object identifier`}},
		{"certificates that are not there", inClient("ca='none.pem'\n"), []string{`14: client[0].ca: expected a readable file, got "none.pem": there is no `}},
		{"one of several", inClient("ca=['ca.pem',\n'none.pem',\n3]\n"), []string{`15: client[0].ca[1]: expected a readable file`, `16: client[0].ca[2]: expected a string in quotes`}},
		{"neither a file nor files", inClient("ca=3\n"), []string{`14: client[0].ca: expected an array of strings, got the integer 3`}},
		{"intermediates", inListen("intermediates=['none.pem']\n"), []string{`14: listen.intermediates[0]: expected a readable file, got "none.pem"`}},
		{"a wildcard for realms in certificates", inClient("san_nairealm=['*.example.org','']\n"), []string{`14: client[0].san_nairealm[0]: expected a realm such as "example.org", got "*.example.org"`, `14: client[0].san_nairealm[1]: `}},
		{"a client's realms", inClient("realms=['*.org','a@b.example','x.example','X.example']\n"), []string{`14: client[0].realms[0]: expected a suffix of two labels`, `14: client[0].realms[1]: expected a realm`, `14: client[0].realms[3]: "X.example" is listed twice`}},
		{"no attribute", inClient("subject_rdn=['UID','=x','UID=']\n"), []string{`14: client[0].subject_rdn[0]: expected one attribute of the subject such as "UID=EXAMPLE.ORG", got "UID"`, `14: client[0].subject_rdn[1]: `, `14: client[0].subject_rdn[2]: `}},
		{"empty secret", inClient("secret=''\n"), []string{`14: client[0].secret: expected a secret, got an empty one`}},
		{"empty secret in a file", inClient("secret_file='empty.secret'\n"), []string{`14: client[0].secret_file: /`}},
		{"long secret in a file", inClient("secret_file='long.secret'\n"), []string{`14: client[0].secret_file: expected a readable file, got "long.secret": `}},
		{"no secret file", inClient("secret_file='none.secret'\n"), []string{`14: client[0].secret_file: expected a readable file, got "none.secret": there is no `}},
		{"empty secret in the environment", inClient("secret_env='CONFIG_TEST_EMPTY'\n"), []string{`14: client[0].secret_env: CONFIG_TEST_EMPTY: expected a secret, got an empty one (RFC 2865 §3)`}},
		{"unset variable", inClient("secret_env='CONFIG_TEST_UNSET'\n"), []string{`14: client[0].secret_env: expected the name of an environment variable, got "CONFIG_TEST_UNSET", which is not set`}},
		{"secret no string", inClient("secret=4711\n"), []string{`14: client[0].secret: expected a string in quotes, got an integer`}},
		{"two secrets", inClient("secret='x'\nsecret_file='a.secret'\n"), []string{`15: client[0].secret_file: expected only one of secret, secret_file or secret_env`}},
		{"packets", inClient("packets=['access','acounting']\n"), []string{`14: client[0].packets[1]: expected "access", "accounting", "coa" or "disconnect", got "acounting" (did you mean "accounting"?)`}},
		{"packets twice", inClient("packets=['coa','coa']\n"), []string{`14: client[0].packets[1]: "coa" is listed twice`}},
		{"no packets", inClient("packets=[]\n"), []string{`14: client[0].packets: expected at least one of`}},
		{"boolean", inClient("verify_request_authenticator='yes'\n"), []string{`14: client[0].verify_request_authenticator: expected true or false, got "yes"`}},
		{"require", inClient("require_message_authenticator=true\n"), []string{`14: client[0].require_message_authenticator: expected a string in quotes, got true`}},
	})
}

// A client's secret is "radsec" unless the file says otherwise, RFC 6614 §2.3 (4).
// Rules: P19
func TestDefaultClientSecret(t *testing.T) {
	c, err := load(t, goodListen+goodClient+goodServer+goodRoute)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(c.Clients[0].Secret.Bytes()); got != "radsec" {
		t.Errorf("the client's secret is %q, expected \"radsec\"", got)
	}
}
