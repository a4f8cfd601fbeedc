package freeradius

import (
	"io"
	"strings"

	"radsec-gw/importer"
)

// conversion is one import.
type conversion struct {
	draft *importer.Draft
	p     *parser
	o     Options

	virtual    []*section         // the whole and each virtual server: where listen and client may be
	names      importer.Names     // of tables
	homes      map[string][]*home // home_server sections by name
	pools      map[string]*section
	auth, acct int // ports on which FreeRADIUS listens; 0: it does not
}

// local is the name of FreeRADIUS itself in the draft.
const local = "freeradius"

// Options is what Import needs beside the files.
type Options struct {
	// Random is for a new secret, where FreeRADIUS does not know this machine as a client.
	Random io.Reader
	// LookupEnv returns the value of an environment variable, which the configuration may
	// name as $ENV{NAME}.
	LookupEnv func(name string) (value string, ok bool)
}

// Import reads the directory of FreeRADIUS at an absolute path into d, whose Source and
// SecretDir are set. An *importer.Error says what is wrong in the files.
func Import(source *importer.Source, dir string, d *importer.Draft, o Options) error {
	p, err := parse(source, dir, o.LookupEnv)
	if err != nil {
		return err
	}
	d.Program = "FreeRADIUS"
	c := &conversion{draft: d, p: p, o: o, homes: map[string][]*home{}, pools: map[string]*section{}}
	c.names.Unique("server", local) // which no home server may have
	c.virtual = append([]*section{p.root}, p.root.all("server")...)
	for _, n := range p.notes {
		d.Note(n.Place, "%s", n.Text)
	}
	d.Head().Comment("FreeRADIUS goes on answering what it answered: the gateway sends it that over UDP. " +
		"What its policies, modules and virtual servers do is not read here.\n" +
		"If FreeRADIUS finds realms in other forms of a User-Name than user@realm (the modules ntdomain, realmpercent), set realm_formats in [routing].")
	secure := c.listen()
	c.clients(secure)
	c.server()
	return c.routes()
}

// variable returns NAME of $ENV{NAME}; ok is false if that is not the whole value.
func variable(value string) (name string, ok bool) {
	name, ok = strings.CutPrefix(value, "$ENV{")
	end := strings.IndexByte(name, '}')
	return strings.TrimSuffix(name, "}"), ok && end == len(name)-1
}

// setSecret writes a secret; $ENV{NAME} is that of an environment variable.
func setSecret(t *importer.Table, p pair, key, owner string) {
	if name, ok := variable(p.value); ok {
		t.Set(key+"_env", name)
		return
	}
	t.SetSecret(p.Place, key, owner, []byte(p.value))
}

// path returns where a file of the configuration is: where it says, or in the imported
// directory if it is only there.
func (c *conversion) path(name string) string {
	if moved := c.p.relocate(name); moved != name && !c.p.source.Exists(name) && c.p.source.Exists(moved) {
		return moved
	}
	return name
}
