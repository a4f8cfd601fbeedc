package probe

import (
	"slices"
	"testing"

	"layeh.com/radius"
)

// The attributes of a request of each kind, in order.
func TestNewRequest(t *testing.T) {
	for _, c := range []struct {
		name string
		cfg  Config
		want []radius.Type
	}{
		{"status", Config{Kind: Status}, []radius.Type{80, 32}},
		{"PAP", Config{Kind: Access, User: "bob", Password: "hello"}, []radius.Type{80, 1, 2, 32}},
		{"CHAP", Config{Kind: Access, User: "bob", Password: "hello", CHAP: true}, []radius.Type{80, 1, 3, 32}},
		{"CHAP-Challenge", Config{Kind: Access, User: "bob", Password: "hello", CHAPChallenge: true}, []radius.Type{80, 1, 60, 3, 32}},
		{"unsigned", Config{Kind: Access, User: "bob", NoMessageAuthenticator: true}, []radius.Type{1, 2, 32}},
		{"another NAS", Config{Kind: Access, User: "bob", Attributes: []string{"NAS-IP-Address=192.0.2.1"}}, []radius.Type{80, 1, 2, 4}},
		{"a Message-Authenticator of one's own", Config{Kind: Status, Attributes: []string{"80=0x00"}}, []radius.Type{80, 32}},
		{"accounting", Config{Kind: Accounting}, []radius.Type{40, 44, 32}},
		{"the end of a session", Config{Kind: Accounting, User: "bob", StatusType: "stop"}, []radius.Type{40, 44, 1, 46, 32}},
		{"CoA", Config{Kind: CoA, User: "bob", SessionID: "7", Attributes: []string{"Session-Timeout=60"}}, []radius.Type{80, 1, 44, 27}},
		{"Disconnect", Config{Kind: Disconnect, SessionID: "7"}, []radius.Type{80, 44}},
	} {
		cfg := c.cfg.withDefaults()
		p, err := newRequest(&cfg)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var got []radius.Type
		for _, a := range p.Attributes {
			got = append(got, a.Type)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: attributes %v, want %v", c.name, got, c.want)
		}
	}
}
