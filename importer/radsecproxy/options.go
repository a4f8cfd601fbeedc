package radsecproxy

import (
	"strconv"
	"strings"

	"radsec-gw/importer"
)

// block is a block, or the basic options of the file, with each option checked for its
// form.
type block struct {
	importer.Place
	kind, name string
	options    []item
	used       map[string]bool // names of options that were asked for, in lower case
}

// forms are the forms of values: 's' a string, 'm' a string that may be given several
// times, 'b' on or off, 'i' an integer.
var forms = map[string]map[string]byte{
	"": {
		"listenudp": 'm', "listentcp": 'm', "listentls": 'm', "listendtls": 'm',
		"sourceudp": 'm', "sourcetcp": 'm', "sourcetls": 'm', "sourcedtls": 'm',
		"pidfile": 's', "ttlattribute": 's', "addttl": 'i', "loglevel": 'i', "logdestination": 's', "logthreadid": 'b',
		"logmac": 's', "logkey": 's', "logfullusername": 'b', "loopprevention": 'b', "fticksreporting": 's', "fticksmac": 's',
		"ftickskey": 's', "ftickssyslogfacility": 's', "fticksprefix": 's', "ipv4only": 'b', "ipv6only": 'b', "sni": 'b',
		"verifyeap": 'b', "requiremessageauthenticator": 'b',
	},
	"client": {
		"type": 's', "host": 'm', "ipv4only": 'b', "ipv6only": 'b', "secret": 's', "tls": 's', "pskidentity": 's', "pskkey": 's',
		"matchcertificateattribute": 'm', "certificatenamecheck": 'b', "certificatecncheck": 'b', "servername": 's',
		"duplicateinterval": 'i', "idletimeout": 'i', "addttl": 'i', "tcpkeepalive": 'b', "rewrite": 's', "rewritein": 's',
		"rewriteout": 's', "rewriteattribute": 's', "fticksviscountry": 's', "fticksvisinst": 's',
		"requiremessageauthenticator": 'b', "requiremessageauthenticatorproxy": 'b',
	},
	"server": {
		"type": 's', "host": 'm', "ipv4only": 'b', "ipv6only": 'b', "port": 's', "source": 'm', "secret": 's', "tls": 's',
		"pskidentity": 's', "pskkey": 's', "matchcertificateattribute": 'm', "certificatenamecheck": 'b', "certificatecncheck": 'b',
		"servername": 's', "addttl": 'i', "tcpkeepalive": 'b', "rewrite": 's', "rewritein": 's', "rewriteout": 's',
		"statusserver": 's', "retryinterval": 'i', "retrycount": 'i', "idletimeout": 'i', "dynamiclookupcommand": 's',
		"loopprevention": 'b', "blockingstartup": 'b', "sni": 'b', "sniservername": 's', "dtlsforcemtu": 'i',
		"requiremessageauthenticator": 'b',
	},
	"realm": {"server": 'm', "accountingserver": 'm', "replymessage": 's', "accountingresponse": 'b', "accountinglog": 'b'},
	"tls": {
		"cacertificatefile": 's', "cacertificatepath": 's', "certificatefile": 's', "certificatekeyfile": 's',
		"certificatekeypassword": 's', "policyoid": 'm', "crlcheck": 'b', "cacheexpiry": 'i', "cipherlist": 's',
		"ciphersuites": 's', "tlsversion": 's', "dtlsversion": 's', "dhfile": 's',
	},
	"rewrite": {
		"whitelistmode": 'b', "removeattribute": 'm', "removevendorattribute": 'm', "whitelistattribute": 'm',
		"whitelistvendorattribute": 'm', "addattribute": 'm', "addvendorattribute": 'm', "modifyattribute": 'm',
		"modifyvendorattribute": 'm', "supplementattribute": 'm', "supplementvendorattribute": 'm',
	},
}

// newBlock checks the options of a block. Unknown ones are noted: a newer version may have
// them.
func newBlock(d *importer.Draft, at importer.Place, kind, name string, items []item) (*block, error) {
	b := &block{Place: at, kind: strings.ToLower(kind), name: name, used: map[string]bool{}}
	seen := map[string]importer.Place{}
	for _, it := range items {
		key := strings.ToLower(it.name)
		form, known := forms[b.kind][key]
		if it.block {
			continue
		}
		if !known {
			d.Note(it.Place, "%s is not an option that the import knows of %s", it.name, b.title())
			continue
		}
		if earlier, twice := seen[key]; twice && form == 's' {
			return nil, wrong(it.Place, "expected %s once in %s, got it a second time after %s", it.name, b.title(), earlier)
		}
		seen[key] = it.Place
		if err := checkForm(form, &it); err != nil {
			return nil, err
		}
		b.options = append(b.options, it)
	}
	return b, nil
}

func checkForm(form byte, it *item) error {
	switch form {
	case 'b':
		if !strings.EqualFold(it.value, "on") && !strings.EqualFold(it.value, "off") {
			return wrong(it.Place, "expected on or off for %s, got %q", it.name, it.value)
		}
	case 'i':
		if n, err := strconv.ParseInt(it.value, 0, 64); err != nil || n < 0 || n > 1<<31-1 {
			return wrong(it.Place, "expected a number for %s, got %q", it.name, it.value)
		}
	}
	return nil
}

// title names the block in a text.
func (b *block) title() string {
	if b.kind == "" {
		return "the basic options"
	}
	return "a " + b.kind + " block"
}

// all returns the values of an option, decoded.
func (b *block) all(name string) (found []item) {
	name = strings.ToLower(name)
	b.used[name] = true
	for _, it := range b.options {
		if it.is(name) {
			it.value = unhex(it.value, name == "secret")
			found = append(found, it)
		}
	}
	return found
}

// last returns the last value of an option; ok is false without one.
func (b *block) last(name string) (it item, ok bool) {
	found := b.all(name)
	if len(found) == 0 {
		return it, false
	}
	return found[len(found)-1], true
}

// text returns the value of an option, "" without one.
func (b *block) text(name string) string {
	it, _ := b.last(name)
	return it.value
}

// on returns the value of a flag.
func (b *block) on(name string, otherwise bool) bool {
	if it, ok := b.last(name); ok {
		return strings.EqualFold(it.value, "on")
	}
	return otherwise
}

// number returns the value of a number; ok is false without one.
func (b *block) number(name string) (n int, ok bool) {
	it, ok := b.last(name)
	if !ok {
		return 0, false
	}
	wide, _ := strconv.ParseInt(it.value, 0, 64) // checkForm has checked it
	return int(wide), true
}

// noteRest notes the options that nothing has asked for. why has a text for some of them;
// an empty one means that nothing is lost.
func (b *block) noteRest(t *importer.Table, why map[string]string) {
	for _, it := range b.options {
		key := strings.ToLower(it.name)
		if b.used[key] {
			continue
		}
		text, known := why[key]
		switch {
		case !known:
			t.Note(it.Place, "%s %s: there is no counterpart", it.name, shown(&it))
		case text != "":
			t.Note(it.Place, "%s %s: %s", it.name, shown(&it), text)
		}
	}
}

// shownRewrite returns the attribute of an option of a rewrite block for a comment. What it
// gets is omitted: attributes such as Tunnel-Password have secrets.
func shownRewrite(it *item) string {
	fields := 1 // ATTRIBUTE:VALUE
	switch name := strings.ToLower(it.name); {
	case strings.HasPrefix(name, "remove"), strings.HasPrefix(name, "whitelist"):
		return it.value
	case strings.Contains(name, "vendor"):
		fields = 2 // VENDOR:ATTRIBUTE:VALUE
	}
	parts := strings.SplitN(it.value, ":", fields+1)
	for _, number := range parts[:len(parts)-1] {
		if _, err := strconv.ParseUint(number, 0, 32); err != nil {
			return "…"
		}
	}
	return strings.Join(append(parts[:len(parts)-1], "…"), ":")
}

// shown returns a value for a comment; keys and passwords are omitted.
func shown(it *item) string {
	switch name := strings.ToLower(it.name); {
	case strings.HasSuffix(name, "key"), strings.HasSuffix(name, "password"), name == "secret":
		return "…"
	}
	return it.value
}
