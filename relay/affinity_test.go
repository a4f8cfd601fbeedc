package relay

import (
	"testing"
	"testing/synctest"

	"radsec-gw/udpback"
	"radsec-gw/wire"
)

// viewOf reads an Access-Request with the attributes.
func viewOf(t *testing.T, attrs ...attr) *wire.View {
	t.Helper()
	v := new(wire.View)
	if err := v.Parse(assemble(1, 0, challenge(1), attrs)); err != nil {
		t.Fatal(err)
	}
	return v
}

// All rounds of a conversation have the same key, on every replica; other conversations
// have another.
// Rules: P66
func TestConversationKey(t *testing.T) {
	nemo, station, nas, address := user("nemo"), text(31, "02-00-5E-00-53-01"), text(32, "ap-1"), integer(4, 0xc0000201)
	key := func(attrs ...attr) uint64 { return conversationKey(viewOf(t, attrs...)) }
	for _, same := range []struct {
		name      string
		one, same uint64
	}{
		{"another round", key(nemo, station, text(24, "one"), eap(1)), key(text(24, "two"), eap(2), station, nemo)},
		{"a station that roams", key(nemo, station, nas, address), key(nemo, station, text(32, "ap-2"))},
		{"no station", key(nemo, nas, address), key(nemo, nas, integer(4, 7))},
		{"no station, no name of the NAS", key(nemo, address), key(nemo, address, integer(5, 1))},
		{"as written down", key(nemo, station), udpback.Hash([]byte("02-00-5E-00-53-01"), []byte("nemo"))},
	} {
		if same.one != same.same {
			t.Errorf("%s: keys %x and %x, expected the same", same.name, same.one, same.same)
		}
	}
	known := map[uint64]int{}
	for i, k := range []uint64{
		key(nemo, station), key(user("nora"), station), key(nemo, text(31, "02-00-5E-00-53-02")), key(nemo, nas), key(user("nora"), nas), key(nemo, text(32, "ap-2")),
		key(nemo, address), key(nemo, integer(4, 7)), key(nemo), key(user("nora")),
	} {
		if other, ok := known[k]; ok {
			t.Errorf("conversations %d and %d have the same key", other, i)
		}
		known[k] = i
	}
}

// The fields for the choice of a server are set again for each request. If there is only one
// server, only HasState is set.
// Rules: P66, P67
func TestSetAffinity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{secondSecret: serverText})
		two, one := b.rules.Routes[0].Group, must(b.back.NewGroup(udpback.GroupConfig{}, b.server))
		key, hash := conversationKey(viewOf(t, user("nemo"))), udpback.Hash([]byte("state"))
		for _, row := range []struct {
			name                   string
			to                     *udpback.Group
			attrs                  []attr
			key, stateHash         uint64
			conversation, hasState bool
		}{
			{"two servers", two, nil, key, 0, false, false},
			{"two servers, EAP", two, []attr{eap(2, 1, 0, 4)}, key, 0, true, false},
			{"two servers, State", two, []attr{text(24, "state")}, key, hash, true, true},
			{"two servers, EAP and State", two, []attr{text(24, "state"), eap(1)}, key, hash, true, true},
			{"one server", one, []attr{eap(1)}, 0, 0, false, false},
			{"one server, State", one, []attr{text(24, "state"), eap(1)}, 0, 0, false, true},
		} {
			for _, before := range []bool{false, true} { // of an earlier request
				req := &request{view: *viewOf(t, append(row.attrs, user("nemo"))...)}
				req.HasState, req.Key, req.StateHash, req.Conversation = before, 5, 7, before
				req.setAffinity(row.to)
				if req.HasState != row.hasState || req.Key != row.key || req.StateHash != row.stateHash || req.Conversation != row.conversation {
					t.Errorf("%s: HasState %t, Key %x, StateHash %x, Conversation %t; expected %t, %x, %x, %t", row.name,
						req.HasState, req.Key, req.StateHash, req.Conversation, row.hasState, row.key, row.stateHash, row.conversation)
				}
			}
		}
	})
}

// When few Identifiers remain, conversations that have begun are preferred: the last
// sixteenth is reserved for them (RFC 5080 §2.2.3).
// Rules: P67
func TestConversationsGoFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict, server: udpback.ServerConfig{MaxSockets: 1}})
		conn, p := b.open()
		for i := range 240 {
			b.put(conn, makeRequest(1, byte(i), i, nemo))
		}
		q := makeRequest(1, 240, 240, nemo)
		b.send(conn, q)
		checkOwn(t, q, p.got(), expectation{3, 505})
		b.net.seen()
		b.net.setServe(func(s []byte) [][]byte { return [][]byte{respond(s, 3, mac)} })
		q = makeRequest(1, 241, 241, nemo, text(24, "round two"))
		b.send(conn, q)
		checkAnswer(t, q, one(t, "the client got", p.got()), 3)
		b.wantFates("access/no_identifier=1 access/relayed=1")
	})
}
