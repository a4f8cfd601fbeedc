package config

import (
	"net/netip"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// inDynamic is a file without mistakes up to the end of [dynamic_authorization]; lines begin
// at line 15.
func inDynamic(lines string) string {
	return goodListen + goodClient + goodServer + goodRoute + "[dynamic_authorization]\n" + lines
}

// goodSender is a sender, at line 15 of inDynamic.
const goodSender = "[[dynamic_authorization.sender]]\nnetworks=['192.0.2.53']\nsecret='0123456789abcdef'\n"

// Rules: RC3
func TestMistakesOfDynamicAuthorization(t *testing.T) {
	const sender = "dynamic_authorization.sender"
	wantMistakes(t, []mistaken{
		{"no port", inDynamic("address=['127.0.0.1']\n"), []string{`15: dynamic_authorization.address[0]: expected an IP address and a port such as "0.0.0.0:3799" or "[::]:3799", got "127.0.0.1": the port is missing`}},
		{"no address", inDynamic("address=[':3799']\n"), []string{`15: dynamic_authorization.address[0]: expected an IP address and a port such as "0.0.0.0:3799" or "[::]:3799", got ":3799": write "0.0.0.0:3799" or "[::]:3799"`}},
		{"a host name", inDynamic("address=['localhost:3799']\n"), []string{`15: dynamic_authorization.address[0]: expected an IP address and a port`}},
		{"addresses twice", inDynamic("address=['[::1]:3799','127.0.0.1:3799','[::1]:3799']\n"), []string{`15: dynamic_authorization.address[2]: "[::1]:3799" is listed twice: remove one`}},
		{"an address that another has", inDynamic("address=['0.0.0.0:3799','127.0.0.1:3799']\n"), []string{`15: dynamic_authorization.address[1]: "127.0.0.1:3799" is taken in by the unspecified address with the same port`}},
		{"a string", inDynamic("address='127.0.0.1:3799'\n"), []string{`15: dynamic_authorization.address: expected an array of strings, got "127.0.0.1:3799": write ["127.0.0.1:3799"]`}},
		{"times", inDynamic("timeout='999ms'\nlearned_lifetime='59s'\n"), []string{`15: dynamic_authorization.timeout: expected a duration from 1s to 5m0s, got 999ms`, `16: dynamic_authorization.learned_lifetime: expected 1m0s or more, got 59s`}},
		{"a long time", inDynamic("timeout='301s'\n"), []string{`15: dynamic_authorization.timeout: expected a duration from 1s to 5m0s, got 5m1s`}},
		{"no time", inDynamic("timeout='0s'\nlearned_lifetime='0s'\n"), []string{`15: dynamic_authorization.timeout: expected a duration above zero`, `16: dynamic_authorization.learned_lifetime: expected a duration above zero`}},
		{"few", inDynamic("max_learned=999\n"), []string{`15: dynamic_authorization.max_learned: expected an integer of 1000 or more, got the integer 999`}},
		{"no boolean", inDynamic("require_message_authenticator='all'\n"), []string{`15: dynamic_authorization.require_message_authenticator: expected true or false, got "all"`}},
		{"unknown key", inDynamic("senders=[]\n"), []string{`15: dynamic_authorization.senders: unknown key; expected in [dynamic_authorization]: address, timeout, require_message_authenticator, max_learned, learned_lifetime, sender (did you mean "sender"?)`}},
		{"array for table", goodListen + goodClient + goodServer + goodRoute + "[[dynamic_authorization]]\n", []string{`14: dynamic_authorization: expected one table [dynamic_authorization], got an array`}},
		{"table for array", inDynamic("[dynamic_authorization.sender]\n"), []string{`15: ` + sender + `: expected tables [[dynamic_authorization.sender]] with doubled brackets, got a table`}},
		{"nothing", inDynamic("[[dynamic_authorization.sender]]\n"), []string{`15: ` + sender + `[0].networks: missing: expected the addresses that it sends from`, `15: ` + sender + `[0].secret: missing: expected one of secret, secret_file or secret_env`}},
		{"no network", inDynamic("[[dynamic_authorization.sender]]\nnetworks=[]\nsecret='x'\n"), []string{`16: ` + sender + `[0].networks: expected at least one address or range, got an empty array`}},
		{"networks", inDynamic("[[dynamic_authorization.sender]]\nnetworks=['10.0.0.0/8','10.0.0.1/8','portal','10.0.0.0/8']\nsecret='x'\n"), []string{
			`16: ` + sender + `[0].networks[1]: expected a range without bits beyond its length`, `16: ` + sender + `[0].networks[2]: expected an address range such as`, `16: ` + sender + `[0].networks[3]: "10.0.0.0/8" is listed twice`}},
		{"two secrets", inDynamic(goodSender + "secret_file='a.secret'\n"), []string{`18: ` + sender + `[0].secret_file: expected only one of secret, secret_file or secret_env`}},
		{"empty secret", inDynamic("[[dynamic_authorization.sender]]\nnetworks=['::1']\nsecret=''\n"), []string{`17: ` + sender + `[0].secret: expected a secret, got an empty one`}},
		{"empty name", inDynamic(goodSender + "name=''\n"), []string{`18: ` + sender + `[0].name: expected a name, got an empty string`}},
		{"unknown key of a sender", inDynamic(goodSender + "network=[]\n"), []string{`18: ` + sender + `[0].network: unknown key; expected in [dynamic_authorization.sender]: name, networks, secret, secret_file, secret_env (did you mean "networks"?)`}},
		{"name twice", inDynamic(goodSender + "name='p'\n" + goodSender + "name='p'\n"), []string{`22: ` + sender + `[1].name: "p" is already used on line 18: expected another name`}},
		{"name by default twice", inDynamic(goodSender + goodSender), []string{`18: ` + sender + `[1].name: "192.0.2.53" is already used on line 15: expected another name`}},
	})
}

// Without the table nothing is listened on; what it has is read, each sender with its name.
// Rules: RC3, RC4
func TestDynamicAuthorization(t *testing.T) {
	c, err := load(t, goodListen+goodClient+goodServer+goodRoute)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.DynamicAuthorization; !reflect.DeepEqual(got, defaultDynamicAuthorization()) || len(got.Address) != 0 {
		t.Errorf("expected the defaults, which listen nowhere, got %+v", got)
	}
	c, err = load(t, inDynamic("address=['127.0.0.1:3799','[::1]:0','[::1]:0']\ntimeout='1s'\nrequire_message_authenticator=true\nmax_learned=1000\nlearned_lifetime='1m'\n"+
		"[[dynamic_authorization.sender]]\nnetworks=['10.0.0.0/8','::1']\nsecret_file='a.secret'\n"+goodSender+"name='portal'\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := DynamicAuthorization{
		Address: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:3799"), netip.MustParseAddrPort("[::1]:0"), netip.MustParseAddrPort("[::1]:0")},
		Timeout: time.Second, RequireMessageAuthenticator: true, MaxLearned: 1000, LearnedLifetime: time.Minute,
		Senders: []Sender{
			{"10.0.0.0/8", []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}, NewSecret("from a file")},
			{"portal", []netip.Prefix{netip.MustParsePrefix("192.0.2.53/32")}, NewSecret("0123456789abcdef")},
		},
	}
	if !reflect.DeepEqual(c.DynamicAuthorization, want) {
		t.Errorf("the table is read as\n %+v\nexpected\n %+v", c.DynamicAuthorization, want)
	}
	files := c.SecretFiles()
	if n := len(files); n != 3 || files[1].Key != "dynamic_authorization.sender[0].secret_file" {
		t.Errorf("expected the file with the sender's secret among the files with secrets, got %+v", files)
	}
}

// Senders of several files follow each other, and a mistake has the index within its file.
func TestIncludedSenders(t *testing.T) {
	const more = "[[dynamic_authorization.sender]]\nname='p'\nnetworks=['10.0.0.0/8']\nsecret=''\n"
	dir := tree(t, map[string]string{"c.toml": "include=['more.toml']\n" + inDynamic(goodSender), "more.toml": more})
	_, err := loadFile(filepath.Join(dir, "c.toml"))
	if want := "more.toml:4: dynamic_authorization.sender[0].secret: expected a secret"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("expected %q, got %v", want, err)
	}
}

// dynamicWarnings are files, and the warnings about them.
func dynamicWarnings() []warningCase {
	const (
		client  = goodListen + goodClient + "networks=['::/0']\n"
		reverse = client + "reverse_coa=true\n"
		rest    = goodServer + goodRoute
		table   = "[dynamic_authorization]\n"
		local   = table + "address=['127.0.0.1:3799']\n"
		coa     = goodServer + "nas=false\n" + goodRoute + "packets=['coa']\n"
	)
	sender := func(network, secret string) string {
		return "[[dynamic_authorization.sender]]\nnetworks=['" + network + "']\nsecret='" + secret + "'\n"
	}
	return []warningCase{
		{"nothing to say", reverse + rest + local + goodSender, nil},
		{"senders and no address", client + rest + table + goodSender, nil},
		{"nobody listens", reverse + rest, []string{`:8: client[0].reverse_coa: has no effect: dynamic_authorization.address is empty, so that nobody can send the gateway CoA for client "c"`}},
		{"for nobody", client + rest + local, []string{`:16: dynamic_authorization.address: no client has reverse_coa = true`}},
		{"a public address", reverse + rest + table + "address=['192.168.0.1:3799',\n'192.0.2.1:3799']\n", []string{`:18: dynamic_authorization.address[1]: 192.0.2.1:3799 is neither on this machine nor on a private network`}},
		{"every address", reverse + rest + table + "address=['0.0.0.0:3799','[::]:3799']\n", nil},
		{"a short secret", reverse + rest + local + sender("192.0.2.53", "0123456789ab"), []string{`:20: dynamic_authorization.sender[0].secret: sender "192.0.2.53" has a secret of 12 bytes: take 16`}},
		{"a secret with a blank", reverse + rest + local + sender("192.0.2.53", "0123456789abcdef "), []string{`:20: dynamic_authorization.sender[0].secret: the secret ends with blanks (1)`}},
		{"a server with two secrets", reverse + rest + local + sender("127.0.0.1", "fedcba9876543210"), []string{`:19: dynamic_authorization.sender[0].networks[0]: 127.0.0.1 is server "s", which may send with its own secret in any case, and sender "127.0.0.1" has another`}},
		{"a server with one secret", reverse + rest + local + sender("127.0.0.1", "0123456789abcdef"), nil},
		{"a range with a server", reverse + rest + local + sender("127.0.0.0/8", "fedcba9876543210"), nil},
		{"CoA to itself", reverse + coa + local, []string{`:9: server[0].coa_port: server "s" is at 127.0.0.1:3799, where the gateway itself listens`}},
		{"CoA to itself at any address", reverse + coa + table + "address=['0.0.0.0:3799']\n", []string{`server[0].coa_port: server "s" is at 127.0.0.1:3799, where`}},
		{"CoA to itself at any address of IPv6", reverse + coa + table + "address=['[::]:3799']\n", []string{`server[0].coa_port: server "s" is at 127.0.0.1:3799, where`}},
		{"CoA to another address", reverse + coa + table + "address=['127.0.0.2:3799']\n", nil},
		{"CoA to another port", reverse + coa + table + "address=['0.0.0.0:3800']\n", nil},
		{"a port that no route uses", reverse + rest + local, nil},
		{"one NAS of two clients", reverse + "nas_identifier=['ap-7']\n[[client]]\nname='d'\nnetworks=['10.0.0.0/8']\nreverse_coa=true\nnas_identifier=['ap-8','ap-7']\n" + rest + local, []string{
			`:14: client[1].nas_identifier[1]: "ap-7" is a name of client "c", too, which is listed before this one`}},
	}
}

// Rules: RC1, RC3, RC8
func TestWarningsOfDynamicAuthorization(t *testing.T) {
	for _, x := range dynamicWarnings() {
		x.check(t)
	}
}
