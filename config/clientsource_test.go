package config

import "testing"

// A client's source is an address, or a range of them from which each certificate has one
// (ID6, ID7).
func TestMistakesOfClientSource(t *testing.T) {
	wantMistakes(t, []mistaken{
		{"no address", inClient("source='ap'\n"), []string{`14: client[0].source: expected an IP address of this machine, got "ap"`}},
		{"any address", inClient("source='0.0.0.0'\n"), []string{`14: client[0].source: expected an IP address of this machine, got "0.0.0.0"`}},
		{"no range", inClient("source_pool='127.1.0.0'\n"), []string{`14: client[0].source_pool: expected a range of addresses of this machine such as "127.1.0.0/16", got "127.1.0.0"`}},
		{"bits beyond the length", inClient("source_pool='127.1.0.1/16'\n"), []string{`14: client[0].source_pool: expected a range without bits beyond its length, got "127.1.0.1/16": did you mean "127.1.0.0/16"?`}},
		{"a range of one", inClient("source_pool='127.1.0.1/32'\n"), []string{`14: client[0].source_pool: expected a range of at least 4 addresses, got "127.1.0.1/32": use source for a single one`}},
		{"both", inClient("source='127.0.0.2'\nsource_pool='127.1.0.0/16'\n"), []string{`15: client[0].source_pool: expected source or source_pool, got both`}},
		{"how it is computed", inClient("source_pool='127.1.0.0/16'\nsource_from='name'\n"), []string{`15: client[0].source_from: expected "san" or "serial", got "name"`}},
		{"a secret alone", inClient("server_secret='xyzzyxyzzy123'\n"), []string{`12: client[0]: server_secret: expected source or source_pool beside it`}},
		{"an address that is not a string", inClient("source=7\nserver_secret='xyzzyxyzzy123'\n"), []string{`14: client[0].source: expected a string in quotes, got the integer 7`}},
		{"a range that is not a string", inClient("source_pool=true\nserver_secret='xyzzyxyzzy123'\n"), []string{`14: client[0].source_pool: expected a string in quotes, got true`}},
	})
	c, err := load(t, inClient("source_pool='fd00:1::/64'\nsource_from='serial'\nserver_secret='xyzzyxyzzy123'\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got := &c.Clients[0]; got.SourcePool.String() != "fd00:1::/64" || got.SourceFrom != SourceFromSerial || string(got.ServerSecret.Bytes()) != "xyzzyxyzzy123" {
		t.Errorf("the client has the pool %v by %q, expected fd00:1::/64 by \"serial\", and the secret", got.SourcePool, got.SourceFrom)
	}
}
