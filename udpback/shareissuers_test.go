package udpback

import (
	"testing"
	"testing/synctest"

	"radsec-gw/wire"
)

// A State that a server of one gateway has issued is known to another gateway that was told of it:
// the conversation goes on with the server of the same name, although another would be chosen.
// Telling allocates nothing.
//
// Rules: GW5, P66
func TestIssuersAreShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := newFixture(t), newFixture(t)
		there.server(t, "c", nil).Close() // numbers differ
		var groups []*Group
		var issuer *Server
		for _, f := range []*fixture{here, there} {
			a, b := f.server(t, "a", nil), f.server(t, "b", nil)
			defer a.Close()
			defer b.Close()
			groups = append(groups, f.group(t, Failover, a, b))
			if f == here {
				issuer = b
			}
		}
		type pair struct {
			state  uint64
			server uint32
		}
		var told []pair
		ex := &Exchange{progress: progress{ep: issuer.endpoint(wire.KindAccess)}}
		here.backend.issuers.remember(1, 1) // makes the table
		if n := testing.AllocsPerRun(10, func() { groups[0].rememberIssuer(ex, []byte("before")) }); n != 0 {
			t.Errorf("remembering allocates %v times, expected none", n)
		}
		told = make([]pair, 0, 100)
		here.backend.ShareIssuers(func(state uint64, server uint32) { told = append(told, pair{state, server}) })
		if n := testing.AllocsPerRun(10, func() { groups[0].rememberIssuer(ex, []byte("state")) }); n != 0 {
			t.Errorf("remembering and telling allocates %v times, expected none", n)
		}
		if want := (pair{Hash([]byte("state")), ServerID("b")}); len(told) == 0 || told[0] != want {
			t.Fatalf("others are told %v, expected %v", told, want)
		}
		next := func(want string) {
			t.Helper()
			ex := &Exchange{HasState: true, StateHash: Hash([]byte("state")), Kind: wire.KindAccess}
			if i, _ := groups[1].choose(ex, groups[1].updateMembers(ex)); i < 0 || groups[1].current().servers[i].Name != want {
				t.Errorf("server %d is chosen, expected %s", i, want)
			}
		}
		next("a")
		there.backend.RememberIssuer(told[0].state, told[0].server)
		next("b")
		there.backend.RememberIssuer(told[0].state, ServerID("unknown")) // is ignored
		next("b")
		there.backend.RememberIssuer(told[0].state, ServerID("c")) // which is not in the group
		next("a")
	})
}

// An address of an expanded name is told by its own name, so that the conversation goes on at the
// same address.
//
// Rules: GW5
func TestIssuersThatAreAddresses(t *testing.T) {
	b := newFixture(t).backend
	name, address := ServerConfig{Name: "a"}, ServerConfig{Name: "a@192.0.2.1"}
	name.Address, address.Address, name.AuthPort, address.AuthPort = "192.0.2.1", "192.0.2.1", 1812, 1812
	parent := b.NewServer(name)
	defer parent.Close()
	address.parent = parent
	member := b.NewServer(address)
	defer member.Close()
	if member.nameID != ServerID("a@192.0.2.1") || member.ID() != ServerID("a") {
		t.Errorf("the address has the numbers %x and %x, expected those of its own name and of the configured one", member.nameID, member.ID())
	}
	var told uint32
	b.ShareIssuers(func(_ uint64, server uint32) { told = server })
	(&Group{backend: b}).rememberIssuer(&Exchange{progress: progress{ep: member.endpoint(wire.KindAccess)}}, []byte("state"))
	if told != member.nameID {
		t.Errorf("others are told the server %x, expected %x", told, member.nameID)
	}
	b.RememberIssuer(1<<20, member.nameID)
	if n := b.issuers.find(1 << 20); n != member.number {
		t.Errorf("the State is remembered of server %d, expected %d", n, member.number)
	}
}
