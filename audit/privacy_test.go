package audit

import "testing"

// A user has one hash whatever the case of letters, a MAC address in each of its forms; another
// salt gives another hash.
func TestHashesOfTheSameName(t *testing.T) {
	p := newPrivacy(&Config{Salt: []byte("one")}, newKey())
	s := p.pool.Get().(*scratch)
	user := func(name string) string { return string(p.userName(s, []byte(name))) }
	station := func(id string) string { return string(p.stationID(s, []byte(id))) }
	if user("bob@example.org") != user("BOB@example.ORG") || user("bob@example.org") == user("eve@example.org") {
		t.Error("the case of letters makes two users, or two users are one")
	}
	for _, form := range []string{"02:00:5e:00:53:01", "0200.5e00.5301", "02005E005301"} {
		if station(form) != station("02-00-5E-00-53-01") {
			t.Errorf("%s has another hash than the form of RFC 3580", form)
		}
	}
	if station("+49 30 12345") == station("+49 30 12346") {
		t.Error("two telephone numbers have one hash")
	}
	other := newPrivacy(&Config{Salt: []byte("two")}, newKey())
	if string(other.userName(s, []byte("bob@example.org"))) == "" {
		t.Error("no hash")
	}
	s2 := other.pool.Get().(*scratch)
	if string(other.userName(s2, []byte("bob@example.org"))) == user("bob@example.org") {
		t.Error("another salt gives the same hash")
	}
	if a, b := newKey(), newKey(); a == b {
		t.Error("the key made at start is the same twice")
	}
}

// The same name has other hashes as a user, a station and a realm: a peer that sends a MAC address as
// its User-Name does not learn, nor show, the hash of that station.
//
// Fault S8.
func TestHashesOfDifferentUsesDiffer(t *testing.T) {
	p := newPrivacy(&Config{Salt: []byte("one")}, newKey())
	s := p.pool.Get().(*scratch)
	const name = "02005e005301"
	user := string(p.userName(s, []byte(name)))
	station := string(p.stationID(s, []byte(name)))
	got := []string{user, station, string(p.realmName(s, []byte(name)))}
	if got[0] == got[1] || got[1] == got[2] || got[0] == got[2] {
		t.Errorf("the hashes as user, station and realm are %q, expected three", got)
	}
}

// A realm is shown as configured, whatever is shown of the user.
//
// Fault S8.
func TestRealmIsShownAsConfigured(t *testing.T) {
	for show, want := range map[Show]string{Full: "one-person.example", None: "", Hash: ""} {
		p := newPrivacy(&Config{Realm: show}, newKey())
		s := p.pool.Get().(*scratch)
		got := string(p.realmName(s, []byte("one-person.example")))
		if show == Hash && len(got) == 16 {
			got = ""
		}
		if got != want {
			t.Errorf("the realm is shown as %q, want %q", got, want)
		}
		if got := p.realmName(s, nil); got != nil {
			t.Errorf("no realm is shown as %q", got)
		}
	}
}
