package config

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// inSpool is a file without mistakes up to the end of [spool]; lines begin at line 16.
func inSpool(lines string) string {
	return goodListen + goodClient + goodServer + goodRoute + "spool=true\n[spool]\n" + lines
}

// Rules: SP1
func TestMistakesOfSpool(t *testing.T) {
	wantMistakes(t, []mistaken{
		{"no directory", inSpool("directory=''\n"), []string{`16: spool.directory: expected the path of a directory, got an empty string`}},
		{"a directory that is not a string", inSpool("directory=1\n"), []string{`16: spool.directory: expected a string in quotes, got the integer 1`}},
		{"a size without unit", inSpool("max_octets='1000000000'\n"), []string{`16: spool.max_octets: expected a size such as "512MiB", "1GiB" or "100MB", got "1000000000": add a unit, or remove the quotes for bytes`}},
		{"a small size", inSpool("max_octets='1023KiB'\n"), []string{`16: spool.max_octets: expected a size from "1MiB" to "1TiB", got "1023KiB"`}},
		{"a small number", inSpool("max_octets=1048575\n"), []string{`16: spool.max_octets: expected a size from "1MiB" to "1TiB", got the integer 1048575`}},
		{"a large size", inSpool("max_octets='1025GiB'\n"), []string{`16: spool.max_octets: expected a size from "1MiB" to "1TiB", got "1025GiB"`}},
		{"a fraction", inSpool("max_octets=1.5\n"), []string{`16: spool.max_octets: expected a size in quotes such as "512MiB", or an integer of bytes, got the number 1.5`}},
		{"no records", inSpool("max_records=0\n"), []string{`16: spool.max_records: expected an integer from 1 to 10000000, got the integer 0`}},
		{"many records", inSpool("max_records=10000001\n"), []string{`16: spool.max_records: expected an integer from 1 to 10000000`}},
		{"no age", inSpool("max_age='0s'\n"), []string{`16: spool.max_age: expected a duration above zero, got "0s": this one cannot be switched off`}},
		{"a short age", inSpool("max_age='59s'\n"), []string{`16: spool.max_age: expected a duration from "1m" to "3650d", got "59s"`}},
		{"a long age", inSpool("max_age='3650d1s'\n"), []string{`16: spool.max_age: expected a duration from "1m" to "3650d", got "3650d1s"`}},
		{"an age of weeks", inSpool("max_age='1w'\n"), []string{`16: spool.max_age: expected a duration such as "500ms", "10s", "5m" or "7d", got "1w"`}},
		{"rate and window", inSpool("replay_rate=0\nreplay_window=0\n"), []string{`16: spool.replay_rate: expected an integer from 1 to 100000, got the integer 0`, `17: spool.replay_window: expected an integer from 1 to 1024, got the integer 0`}},
		{"large rate and window", inSpool("replay_rate=100001\nreplay_window=1025\n"), []string{`16: spool.replay_rate: expected an integer from 1 to 100000`, `17: spool.replay_window: expected an integer from 1 to 1024`}},
		{"no attempt", inSpool("attempts=0\n"), []string{`16: spool.attempts: expected an integer from 1 to 1000, got the integer 0`}},
		{"an unknown store", inSpool("store='nats'\n"), []string{`16: spool.store: expected "file" or "jetstream", got "nats"`}},
		{"no copy", inSpool("replicas=0\n"), []string{`16: spool.replicas: expected an integer from 1 to 5, got the integer 0`}},
		{"many copies", inSpool("replicas=6\n"), []string{`16: spool.replicas: expected an integer from 1 to 5, got the integer 6`}},
		{"a store without servers", inSpool("directory='x'\nstore='jetstream'\n"), []string{`17: spool.store: expected "file", got "jetstream": there is no [cluster]`}},
		{"many attempts", inSpool("attempts=1001\n"), []string{`16: spool.attempts: expected an integer from 1 to 1000`}},
		{"no boolean", inSpool("replace_interims='yes'\n"), []string{`16: spool.replace_interims: expected true or false, got "yes"`}},
		{"unknown key", inSpool("max_bytes=1\n"), []string{`16: spool.max_bytes: unknown key; expected in [spool]: directory, store, replicas, max_octets, max_records, max_age, replay_rate, replay_window, attempts, replace_interims`}},
		{"array for table", goodListen + goodClient + goodServer + goodRoute + "[[spool]]\n", []string{`14: spool: expected one table [spool], got an array`}},
	})
}

// Rules: SP1
func TestMistakesOfSpoolingRoutes(t *testing.T) {
	const good = goodListen + goodClient + goodServer + goodRoute // 13 lines
	const none = "[[route]]\nrealms=['*']\nservers=[]\n"
	wantMistakes(t, []mistaken{
		{"no accounting", good + "packets=['access']\nspool=true\n", []string{`15: route[0].spool: expected "accounting" in packets, got ["access"]: the route takes no accounting that could be stored`}},
		{"acknowledged accounting", good + "spool=true\naccounting='answer'\n", []string{`14: route[0].spool: expected accounting = "relay", got "answer"`}},
		{"acknowledged accounting of a route without it", good + "packets=['access']\nspool=true\naccounting='answer'\n", []string{`15: route[0].spool: expected "accounting" in packets`, `16: route[0].accounting: expected "accounting" in packets`}},
		{"no server", goodListen + goodClient + goodServer + none + "spool=true\n", []string{`14: route[0].spool: expected a server in servers, got an empty array`}},
		{"packets that are a mistake", good + "packets=['acct']\nspool=true\n", []string{`14: route[0].packets[0]: expected "access", "accounting", "coa" or "disconnect"`}},
		{"no servers at all", goodListen + goodClient + goodServer + "[[route]]\nrealms=['*']\nspool=true\n", []string{`11: route[0].servers: missing`}},
		{"no boolean", good + "spool='yes'\n", []string{`14: route[0].spool: expected true or false, got "yes"`}},
		{"no time", good + "spool=true\nspool_after='0s'\n", []string{`15: route[0].spool_after: expected a duration above zero`}},
		{"a short time", good + "spool=true\nspool_after='99ms'\n", []string{`15: route[0].spool_after: expected a duration from "100ms" to "1m", got "99ms"`}},
		{"a long time", good + "spool_after='61s'\n", []string{`14: route[0].spool_after: expected a duration from "100ms" to "1m", got "61s"`}},
	})
}

// Rules: SP1
func TestSpool(t *testing.T) {
	c, err := load(t, goodListen+goodClient+goodServer+goodRoute)
	if err != nil {
		t.Fatal(err)
	}
	if c.UsesSpool() || c.Routes[0].Spool || c.Routes[0].SpoolAfter != 5*time.Second {
		t.Errorf("expected that nothing is stored by default, got %+v", c.Routes[0])
	}
	c, err = load(t, goodListen+goodClient+goodServer+goodRoute+"spool=true\nspool_after='100ms'\n")
	if err != nil {
		t.Fatal(err)
	}
	if !c.UsesSpool() || !c.Routes[0].Spool || c.Routes[0].SpoolAfter != 100*time.Millisecond || !reflect.DeepEqual(c.Spool, defaultSpool()) {
		t.Errorf("expected the defaults of [spool] for a route that needs no more, got %+v and %+v", c.Routes[0], c.Spool)
	}
	c, err = load(t, inSpool("directory='records'\nreplicas=5\nmax_octets=1_048_576\nmax_records=10_000_000\nmax_age='1d12h'\nreplay_rate=100_000\nreplay_window=1024\nattempts=1\nreplace_interims=true\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := Spool{
		Directory: filepath.Join(filepath.Dir(c.Path), "records"), Store: SpoolStoreFile, Replicas: 5, MaxOctets: 1 << 20, MaxRecords: 10_000_000, MaxAge: 36 * time.Hour,
		ReplayRate: 100_000, ReplayWindow: 1024, Attempts: 1, ReplaceInterims: true,
	}
	if !reflect.DeepEqual(c.Spool, want) {
		t.Errorf("the table is read as\n %+v\nexpected\n %+v", c.Spool, want)
	}
}

// The example has the table as comments, because it has no route with spool = true. When
// somebody removes the signs it is without mistakes and shows the defaults.
func TestExampleSpool(t *testing.T) {
	path, text := exampleDir(t)
	section := sectionOf(text, "[spool]")
	var lines []string
	for line := range strings.Lines(section) {
		if keyForm.MatchString(line) || line == "# [spool]\n" {
			line = strings.TrimPrefix(line, "# ")
		}
		lines = append(lines, line)
	}
	text = strings.Replace(text, section, strings.Join(lines, ""), 1)
	write(t, path, strings.Replace(text, "\nspool = false\n", "\nspool = true\n", 1))
	c, err := loadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !c.UsesSpool() || !c.given("spool.replace_interims") || !reflect.DeepEqual(c.Spool, defaultSpool()) {
		t.Errorf("expected that the example shows the defaults of [spool], got %+v", c.Spool)
	}
	if w := c.Warnings(); len(w) != 0 {
		t.Errorf("expected no warnings, got %q", w)
	}
}

// Rules: SP1
func TestWarningsOfSpool(t *testing.T) {
	const (
		base   = goodListen + goodClient + "networks=['::/0']\n" + goodServer
		second = "[[server]]\nname='t'\naddress='127.0.0.2'\nsecret='0123456789abcdef'\n"
		both   = "[[route]]\nrealms=['*']\nservers=['s', 't']\n"
	)
	for _, x := range []warningCase{
		{"nothing to say", base + goodRoute + "spool=true\n[spool]\n", nil},
		{"no table", base + goodRoute + "spool=true\nspool_after='30s'\n", nil},
		{"a table for nobody", base + goodRoute + "[spool]\ndirectory='x'\n", []string{`:15: spool: has no effect: no [[route]] has spool = true`}},
		{"an empty table for nobody", base + goodRoute + "[spool]\n", []string{`:15: spool: has no effect`}},
		{"keys with dots for nobody", "spool.attempts=3\n" + base + goodRoute, []string{`:1: spool: has no effect`}},
		{"a time for nothing", base + goodRoute + "spool_after='4s'\n", []string{`:15: route[0].spool_after: has no effect: spool is false`}},
		{"a time that is the default, for nothing", base + goodRoute + "spool=false\nspool_after='5s'\n", nil},
		{"a time longer than the schedule", base + goodRoute + "spool=true\nspool_after='31s'\n", []string{`:16: route[0].spool_after: has no effect with server "s": its requests are given up after 30s (retransmit_duration), and the spool takes them over then, before they have waited 31s`}},
		{"a time as long as the second's schedule", base + second + "retransmit_duration='10s'\n" + both + "spool=true\nspool_after='10s'\n", nil},
		{"a time longer than the second's schedule", base + second + "retransmit_duration='10s'\n" + both + "spool=true\nspool_after='11s'\n", []string{`:21: route[0].spool_after: has no effect with server "t": its requests are given up after 10s`}},
		{"a default longer than the schedule", base + "retransmit_duration='4s'\n" + goodRoute + "spool=true\n", []string{
			`:12: server[0].retransmit_duration: server "s": 4s is outside`, `:13: route[0].spool_after: has no effect with server "s": its requests are given up after 4s`}},
	} {
		x.check(t)
	}
}

// A number of copies has no effect where there are none.
//
// Rules: GW4
func TestReplicasOfAFile(t *testing.T) {
	const text = "[cluster]\nnats=['nats://x']\n"
	for store, want := range map[string]bool{"file": true, "jetstream": false} {
		c, err := load(t, inSpool("replicas=1\nstore='"+store+"'\n"+text))
		if err != nil {
			t.Fatal(err)
		}
		if w := strings.Join(c.Warnings(), "\n"); strings.Contains(w, "16: spool.replicas: has no effect") != want {
			t.Errorf("%s: expected a warning: %v, got %q", store, want, w)
		}
	}
}
