package radsecproxy

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"radsec-gw/routing"
)

// The names of realm blocks become entries of realms, or a reason why not.
func TestRealmsOf(t *testing.T) {
	for name, want := range map[string][]string{
		"*":                                  {"*"},
		"example.org":                        {"example.org"},
		"Example.ORG":                        {"example.org"},
		`/@example\.org$/`:                   {"example.org"},
		`/@example\.org$`:                    {"example.org"},
		`/^.*@example\.org$/`:                {"example.org"},
		`/^[^@]+@example\.org$/`:             {"example.org"},
		`/@(.+\.)?example\.org$/`:            {"example.org", "*.example.org"},
		`/@(.*\.)*example\.org$/`:            {"example.org", "*.example.org"},
		`/@.*\.example\.org$/`:               {"*.example.org"},
		`/[@.]example\.org$/`:                {"example.org", "*.example.org"},
		`/(@|\.)example\.org$/`:              {"example.org", "*.example.org"},
		`/@.*\.3gppnetwork\.org$/`:           {"*.3gppnetwork.org"},
		`/\.com$/`:                           {`~\.com$`},
		`/@.*\.com$/`:                        {`~\.com$`},
		`/@.+\.com$/`:                        {`~^.+\.com$`},
		`/@example/`:                         {"~^example"},
		`/@(a|b)\.example\.org$/`:            {`~^[ab]\.example\.org$`},
		`/@(north|south)\.example\.org$/`:    {`~^(?:north|south)\.example\.org$`},
		`/@[a-z0-9-]+\.example\.org$/`:       nil, // a pattern; its text is Go's
		`/^[^@]+$/`:                          {""},
		`/^[^@]*$/`:                          {""},
		`/.*/`:                               {"*"},
		`/^.*$/`:                             {"*"},
		`/@/`:                                {"~."},
		`/.*@.*/`:                            {"~."},
		`/@.+\..+$/`:                         {`~^.+\..+$`},
		`/myabc\.com$/`:                      {`~myabc\.com$`},
		`/@wlan\.mnc[0-9]{3}\.mcc[0-9]{3}$/`: {`~^wlan\.mnc[0-9]{3}\.mcc[0-9]{3}$`},
		`*.example.org`:                      {"*.example.org"},
		`/^anonymous$/`:                      {"~error"},
		`/^bob@example\.org$/`:               {"~error"},
		`/^host\//`:                          {"~error"},
		`/@$/`:                               {"~error"},
		`/^@example\.org$/`:                  {"~error"},
		`/(/`:                                {"~error"},
		`/[[:space:]]/`:                      {`~[\t-\r ]`},
		`/^$/`:                               {"~error"},
	} {
		u, err := realmsOf(name)
		got := u.entries
		if err != nil {
			got = []string{"~error"}
		}
		if want != nil && !slices.Equal(got, want) {
			t.Errorf("realm %s: got %q, %v; expected %q", name, got, err, want)
		}
		for _, entry := range u.entries {
			if err := routing.CheckRealm(entry); err != nil {
				t.Errorf("realm %s: %v", name, err)
			}
		}
	}
}

// What was translated matches the User-Names that the regular expression of radsecproxy
// matches, but for those with no realm, about which there is a remark.
func TestRealmsOfMatchesTheSame(t *testing.T) {
	users := []string{"bob", "bob@example.org", "bob@EXAMPLE.org", "bob@a.example.org", "bob@a.b.example.org", "bob@badexample.org",
		"bob@example.com", "bob@example.org.com", "a@b@example.org", "bob@wlan.mnc001.mcc262", "anonymous", "bob@north.example.org", "bob@x"}
	for _, name := range []string{`/@example\.org$/`, `/@(.+\.)?example\.org$/`, `/@.*\.example\.org$/`, `/(@|\.)example\.org$/`,
		`/\.com$/`, `/@.+\.com$/`, `/@example/`, `/@(north|south)\.example\.org$/`, `/@[a-z0-9-]+\.example\.org$/`, `/^[^@]+$/`, `/.*/`, `/@/`,
		`/@wlan\.mnc[0-9]{3}\.mcc[0-9]{3}$/`, `/example\.org$/`, `/@.*example\.org$/`, `/^[a-z]+@example\.org$/`} {
		u, err := realmsOf(name)
		if err != nil {
			continue
		}
		original := regexp.MustCompile("(?i)" + strings.Trim(name, "/"))
		for _, user := range users {
			realm := string(routing.Realm([]byte(user)))
			got := slices.ContainsFunc(u.entries, func(entry string) bool { return covers(entry, strings.ToLower(realm)) })
			if want := original.MatchString(user); got != want && (realm != "" || u.remark == "") {
				t.Errorf("realm %s is %q here: it matches %s: %v, in radsecproxy %v", name, u.entries, user, got, want)
			}
		}
	}
}
