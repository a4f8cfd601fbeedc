package radsecproxy

import (
	"regexp"
	"slices"
	"strings"

	"radsec-gw/importer"
)

// radsecproxy takes the first realm block in the file that matches. The gateway takes the
// most exact entry: a realm, then the longest suffix, then patterns in the order of the
// file, then "*". So that each User-Name goes where it went, an entry that an earlier block
// has covered is omitted, and a suffix after a pattern is written as a pattern.

// routed is what the blocks so far have matched. Exact entries and suffixes are looked up:
// comparing each with all before it would be quadratic in the size of the file.
type routed struct {
	order    map[string]int // entries, and how many precede them in the file
	patterns []pattern
}

// pattern is an entry of realms that is a pattern.
type pattern struct {
	entry string
	re    *regexp.Regexp
}

// add returns the entry as it is to be written and true, or the earlier one that covers it
// and false.
func (r *routed) add(entry string) (text string, ok bool) {
	if earlier, found := r.covering(entry); found {
		return earlier, false
	}
	written := entry
	if suffix, ok := strings.CutPrefix(entry, "*."); ok && len(r.patterns) > 0 {
		written = `~\.` + regexp.QuoteMeta(suffix) + "$"
	}
	if _, twice := r.order[written]; twice {
		return written, false
	}
	if r.order == nil {
		r.order = map[string]int{}
	}
	r.order[written] = len(r.order)
	if text, ok := strings.CutPrefix(written, "~"); ok {
		if re, err := regexp.Compile("(?i)" + text); err == nil { // which routing.CheckRealm has seen
			r.patterns = append(r.patterns, pattern{written, re})
		}
	}
	return written, true
}

// covering returns the first entry that matches a realm in lower case, or every realm that
// an entry, a suffix or a pattern, matches.
func (r *routed) covering(entry string) (first string, found bool) {
	consider := func(earlier string) {
		if n, ok := r.order[earlier]; ok && (!found || n < r.order[first]) {
			first, found = earlier, true
		}
	}
	consider("*")
	if entry == "*" {
		return first, found
	}
	consider(entry)
	if strings.HasPrefix(entry, "~") {
		return first, found
	}
	for i := range len(entry) {
		if entry[i] == '.' {
			consider("*" + entry[i:])
		}
	}
	if entry == "" || strings.HasPrefix(entry, "*") {
		return first, found
	}
	for _, p := range r.patterns {
		if p.re.MatchString(entry) {
			consider(p.entry)
			break
		}
	}
	return first, found
}

// routes writes the realm blocks.
func (c *conversion) routes() error {
	var seen routed
	for _, b := range c.realms {
		t := c.draft.Add("[[route]]")
		t.Comment("%s, realm %s", b.Place, b.name)
		u, err := realmsOf(b.name)
		if err != nil {
			t.Note(b.Place, "realm %s: %v. Its users get the route of a later realm", b.name, err)
			t.Name, t.Disabled = "", true
			continue
		}
		var entries []string
		for _, entry := range u.entries {
			text, ok := seen.add(entry)
			if !ok {
				t.Comment("%q is omitted: %q before it in the file matches it already.", entry, text)
				continue
			}
			if text != entry {
				t.Comment("%q is written as a pattern, because in the file a pattern precedes it, and suffixes go before patterns here.", entry)
			}
			entries = append(entries, text)
		}
		if u.remark != "" {
			t.Comment("Here the realm alone is compared; %s.", u.remark)
		}
		if len(entries) == 0 {
			t.Name, t.Disabled = "", true
			continue
		}
		if err := c.route(t, b, entries); err != nil {
			return err
		}
	}
	if _, hasAny := seen.order["*"]; len(c.realms) > 0 && !hasAny {
		c.draft.Head().Comment("radsecproxy ignores requests of users whose realm has no block. The gateway rejects them, so that clients need not wait; on_unroutable = \"silent\" in [routing] ignores them, too.")
	}
	return nil
}

// route writes a realm block: one [[route]], or two when Access and accounting go to
// different servers.
func (c *conversion) route(t *importer.Table, b *block, entries []string) error {
	access, err := c.serversOf(t, b, "server")
	if err != nil {
		return err
	}
	accounting, err := c.serversOf(t, b, "accountingServer")
	if err != nil {
		return err
	}
	if it, ok := b.last("ReplyMessage"); ok && len(access) == 0 {
		t.Note(it.Place, "ReplyMessage %q: the gateway's Access-Reject has no Reply-Message", it.value)
	}
	if _, ok := b.last("ReplyMessage"); !ok && len(b.all("server")) == 0 {
		c.once(t, "radsecproxy ignores Access-Requests of a realm that has neither a server nor a ReplyMessage. The gateway rejects them, so that clients need not wait.")
	}
	it, ok := b.last("AccountingResponse")
	answers := ok && strings.EqualFold(it.value, "on") && len(b.all("accountingServer")) == 0 // one that is not carried over had the accounting
	b.noteRest(t, map[string]string{"replymessage": "", "accountingresponse": "", "accountinglog": "the request log has accounting, too (requests of [log])"})
	t.Set("realms", entries)
	if answers {
		t.Set("servers", orNone(access))
		t.Set("accounting", "answer")
		return nil
	}
	if slices.Equal(access, accounting) {
		t.Set("servers", orNone(access))
		return nil
	}
	t.Set("packets", []string{"access"})
	t.Set("servers", orNone(access))
	second := c.draft.Add("[[route]]")
	second.Set("realms", entries)
	second.Set("packets", []string{"accounting"})
	second.Set("servers", orNone(accounting))
	return nil
}

// orNone returns an empty array for nil.
func orNone(names []string) []string {
	if names == nil {
		return []string{}
	}
	return names
}

// serversOf returns the names of the servers of a realm in the draft.
func (c *conversion) serversOf(t *importer.Table, b *block, option string) (names []string, err error) {
	all, missing, listed := b.all(option), 0, map[string]bool{}
	for _, it := range all {
		key := strings.ToLower(it.value)
		name, ok := c.carried[key]
		switch {
		case !ok && c.notCarried[key] == "":
			return nil, wrong(it.Place, "expected the name of a server block, got %q", it.value)
		case !ok:
			missing++
			t.Note(it.Place, "%s %s of realm %s: the server is not carried over, see above", it.name, it.value, b.name)
		case !listed[name]:
			names = append(names, name)
			listed[name] = true
		}
	}
	if missing > 0 && missing == len(all) {
		t.Comment("%s", map[string]string{
			"server":           "Without a server its Access-Requests are refused as on_unroutable of [routing] says.",
			"accountingServer": "Without an accountingServer its accounting is not answered.",
		}[option])
	}
	if len(names) > maxServers {
		t.Note(b.Place, "realm %s: expected at most %d servers, got %d; the rest is omitted", b.name, maxServers, len(names))
		names = names[:maxServers]
	}
	return names, nil
}

// maxServers is how many servers a [[route]] can have.
const maxServers = 64
