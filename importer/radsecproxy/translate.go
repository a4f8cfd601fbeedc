package radsecproxy

import (
	"path/filepath"
	"strings"

	"radsec-gw/importer"
)

// conversion is one import.
type conversion struct {
	draft                           *importer.Draft
	basic                           *block
	tls, clients, servers, rewrites []*block
	realms                          []*block
	tlsByName                       map[string]*block         // the first of each name, in lower case
	tlsUsed                         map[*block]bool           // by clients over TLS and DTLS
	listening                       *block                    // the tls block that [listen] is made of; nil: there is none
	firstDTLS                       *block                    // the first client over DTLS; nil: there is none
	names                           importer.Names            // of tables
	carried                         map[string]string         // servers by their name in lower case: their name in the draft
	notCarried                      map[string]string         // the others: why not
	said                            map[string]bool           // comments that are written once
	access, accounting              map[string]bool           // names of servers in lower case that realms use for each
	rewriteRules, userNames         map[*block]*attributeRule // of rewrite blocks that are used, and of clients with RewriteAttribute
	userNameOrder                   []*block                  // the clients of userNames in the order of the file
}

// Import reads the file of radsecproxy at an absolute path, and those that it includes, into
// d, whose Source and SecretDir are set. An *importer.Error says what is wrong in the files.
func Import(source *importer.Source, file string, d *importer.Draft) error {
	items, err := parse(source, file)
	if err != nil {
		return err
	}
	d.Program = "radsecproxy"
	c := &conversion{
		draft: d, carried: map[string]string{}, notCarried: map[string]string{},
		said: map[string]bool{}, access: map[string]bool{}, accounting: map[string]bool{},
		rewriteRules: map[*block]*attributeRule{}, userNames: map[*block]*attributeRule{},
	}
	if err := c.sort(source, file, items); err != nil {
		return err
	}
	c.noteBasic()
	c.listen()
	c.listenDTLS()
	for _, b := range c.clients {
		if err := c.client(b); err != nil {
			return err
		}
	}
	for _, b := range c.servers {
		if err := c.server(b); err != nil {
			return err
		}
	}
	if err := c.routes(); err != nil {
		return err
	}
	c.rules()
	c.log()
	for _, name := range []string{"[[client]]", "[[server]]", "[[route]]"} {
		if d.Count(name) == 0 {
			d.Note(importer.Place{File: source.Shown(file)}, "there is no %s: nothing in the file becomes one, and the gateway needs at least one", name)
		}
	}
	return nil
}

// sort makes a block of each, and of the basic options.
func (c *conversion) sort(source *importer.Source, file string, items []item) (err error) {
	if c.basic, err = newBlock(c.draft, importer.Place{File: source.Shown(file)}, "", "", items); err != nil {
		return err
	}
	lists := map[string]*[]*block{"client": &c.clients, "server": &c.servers, "realm": &c.realms, "tls": &c.tls, "rewrite": &c.rewrites}
	for i := range items {
		it := &items[i]
		if !it.block {
			continue
		}
		list, known := lists[strings.ToLower(it.name)]
		if !known {
			return wrong(it.Place, "expected a block client, server, realm, tls or rewrite, got %q", it.name)
		}
		b, err := newBlock(c.draft, it.Place, it.name, it.value, it.items)
		if err != nil {
			return err
		}
		*list = append(*list, b)
	}
	c.findTLS()
	for _, b := range c.realms {
		for name, used := range map[string]map[string]bool{"server": c.access, "accountingServer": c.accounting} {
			for _, it := range b.all(name) {
				used[strings.ToLower(it.value)] = true
			}
		}
	}
	return nil
}

// noteBasic notes the basic options that have no counterpart.
func (c *conversion) noteBasic() {
	const clients = "the gateway accepts clients over TLS and DTLS only. Keep radsecproxy for those that speak something else, with this gateway as its server of type tls"
	const source = "the gateway connects to no server but over UDP"
	t := c.draft.Head()
	for _, name := range []string{"ListenTLS", "ListenDTLS", "LogLevel", "LogFullUsername", "LogMAC", "LogKey", "FTicksReporting", "FTicksMAC", "FTicksKey", "FTicksPrefix", "requireMessageAuthenticator", "SourceUDP"} {
		c.basic.all(name)
	}
	c.basic.noteRest(t, map[string]string{
		"listenudp": clients, "listentcp": clients,
		"sourcetcp": source, "sourcetls": source, "sourcedtls": source,
		"pidfile": "", "logthreadid": "", "loopprevention": "", "sni": "", "verifyeap": "",
		"ttlattribute":         "the gateway neither reads nor writes a TTL; it detects loops by loop_marker of [routing]",
		"addttl":               "the gateway neither reads nor writes a TTL; it detects loops by loop_marker of [routing]",
		"logdestination":       "the log goes to standard error: let systemd or Docker take it from there",
		"ftickssyslogfacility": "F-Ticks go into the log, or to the syslog server that fticks_syslog of [log] names",
		"ipv4only":             "a name with addresses of both kinds is used with both; give the address instead of the name where only one is right",
		"ipv6only":             "a name with addresses of both kinds is used with both; give the address instead of the name where only one is right",
	})
}

// optionNames lists the options of a rewrite block.
func (b *block) optionNames() string {
	var names []string
	for _, it := range b.options {
		names = append(names, it.name+" "+shownRewrite(&it))
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// once adds a comment that is the same for many tables to the first of them.
func (c *conversion) once(t *importer.Table, text string) {
	if !c.said[text] {
		c.said[text] = true
		t.Comment("%s", text)
	}
}

// log writes [log].
func (c *conversion) log() {
	t := c.draft.Add("[log]")
	if n, ok := c.basic.number("LogLevel"); ok {
		t.Set("level", [...]string{"error", "error", "warn", "info", "info", "debug"}[min(n, 5)])
	}
	if it, ok := c.basic.last("LogFullUsername"); ok {
		t.Set("user", map[bool]string{true: "full", false: "cut"}[strings.EqualFold(it.value, "on")])
	}
	mac, ok := c.basic.last("LogMAC")
	reporting := strings.ToLower(c.basic.text("FTicksReporting"))
	fticks := reporting == "basic" || reporting == "full"
	if it, given := c.basic.last("FTicksReporting"); given && !fticks && reporting != "none" {
		t.Note(it.Place, "FTicksReporting %s: expected None, Basic or Full", it.value)
	}
	if other, given := c.basic.last("FTicksMAC"); given && fticks {
		if ok && !strings.EqualFold(other.value, mac.value) {
			t.Note(mac.Place, "LogMAC %s: the gateway shows the station in F-Ticks and in the log alike, here as FTicksMAC says", mac.value)
		}
		mac, ok = other, true
	}
	if ok {
		shows := map[string]string{"original": "full", "static": "none", "vendorhashed": "cut", "vendorkeyhashed": "cut", "fullyhashed": "hash", "fullykeyhashed": "hash"}
		if show := shows[strings.ToLower(mac.value)]; show != "" {
			t.Set("station", show)
		} else {
			t.Note(mac.Place, "%s %s: expected Original, Static, VendorHashed, VendorKeyHashed, FullyHashed or FullyKeyHashed", mac.name, mac.value)
		}
	}
	key, ok := c.basic.last("FTicksKey")
	logKey, given := c.basic.last("LogKey")
	switch {
	case ok && given && key.value != logKey.value:
		t.Note(logKey.Place, "LogKey …: the gateway hashes with one key in F-Ticks and in the log, here with FTicksKey")
	case !ok:
		key = logKey
	}
	if ok || given {
		t.SetSecret(key.Place, "hash_salt", "log", []byte(key.value))
	}
	if fticks {
		c.fticks(t, reporting == "full")
	}
	if t.Empty() {
		c.draft.Remove(t)
	}
}

// fticks writes the keys of F-Ticks. radsecproxy has the country for each client, the
// gateway once.
func (c *conversion) fticks(t *importer.Table, full bool) {
	var country, institution string
	for _, b := range c.clients {
		it, ok := b.last("FticksVISCOUNTRY")
		switch {
		case !ok:
			continue
		case country == "":
			country = strings.ToUpper(it.value)
			if institution = b.text("FticksVISINST"); institution == "" {
				institution = b.name
			}
		case country != strings.ToUpper(it.value) || full && b.text("FticksVISINST") != institution:
			t.Note(it.Place, "FticksVISCOUNTRY and FticksVISINST of client %s: the gateway has one country and one institution for all clients, those of the first", b.name)
		}
	}
	if country == "" {
		it, _ := c.basic.last("FTicksReporting")
		t.Note(it.Place, "FTicksReporting %s: no client has FticksVISCOUNTRY; set fticks and fticks_country", it.value)
		return
	}
	federation := "eduroam"
	if it, ok := c.basic.last("FTicksPrefix"); ok {
		prefix := strings.Split(it.value, "/")
		if len(prefix) > 1 && prefix[1] != "" {
			federation = prefix[1]
		}
		if it.value != "F-TICKS/"+federation+"/1.0" {
			t.Note(it.Place, "FTicksPrefix %s: the gateway writes F-TICKS/%s/1.0", it.value, federation)
		}
	}
	t.Set("fticks", federation)
	t.Set("fticks_country", country)
	if full && institution != "" {
		t.Set("fticks_institution", institution)
	}
}

// fileName returns the absolute form of a path in the configuration: radsecproxy reads them
// relative to the directory in which it was started.
func fileName(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join("/", path)
}
