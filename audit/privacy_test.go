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
