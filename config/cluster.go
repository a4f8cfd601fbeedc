package config

import (
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Cluster is [cluster]: what several gateways share through NATS, which the operator runs. It
// is given if NATS is.
type Cluster struct {
	// The NATS servers: "nats://127.0.0.1:4222", or "tls://…" if the connection must be
	// encrypted; without a port it is 4222. The gateway connects to one of them, in random order, and
	// to another when that is gone. From 1 to 16. A user name and password, or a token, may be
	// before the host ("nats://user:password@host"), and is never logged; credentials_file is
	// better. The gateway starts and serves without them, and connects when it can. Like all
	// keys of this table, a change takes effect at a restart, not at a reload.
	// Required.
	NATS []string // URLs, not empty unless the table is missing

	// The file with the credentials for NATS (".creds"): a user's JWT and the seed of its key. It
	// is read again at each connection.
	// Default: "", none
	CredentialsFile string // path

	// What the names of all that the gateways share begin with: gateways with the same prefix
	// share it, others with the same NATS servers do not. From 1 to 64 letters, digits, "-" and
	// "_", with dots between them.
	// Default: "radsec-gw"
	Prefix string // 1..64 bytes, a subject of NATS

	// The CA certificates that the NATS servers are verified with, PEM. Given, the connection
	// must be encrypted, whatever the URLs say. Read again at each connection.
	// Default: none, those of the system
	CA string // path

	// The certificate that the gateway presents to the NATS servers, with its intermediates, and
	// its private key, each in a PEM file. Given, the connection must be encrypted. They are read
	// again at each connection.
	// Default: none
	Certificate string // path
	// Required with certificate, and only there.
	PrivateKey string // path; given when Certificate is
}

// mostNATS bounds Cluster.NATS.
const mostNATS = 16

// mostPrefix bounds Cluster.Prefix, in bytes.
const mostPrefix = 64

// prefixForm is the form of Cluster.Prefix.
var prefixForm = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)

func defaultCluster() Cluster { return Cluster{Prefix: "radsec-gw"} }

// readCluster reads [cluster]; given says whether the file has it.
func readCluster(t *table, given bool) Cluster {
	c := defaultCluster()
	if given {
		t.require("nats", `the URLs of NATS servers, such as ["nats://127.0.0.1:4222"]: without them nothing is shared; or remove [cluster]`)
	}
	readNATS(t, &c)
	if name, ok := t.values["credentials_file"].(string); ok && name == "" {
		t.value("credentials_file")
	} else {
		t.file("credentials_file", &c.CredentialsFile, MaxKeys)
	}
	if t.text("prefix", &c.Prefix) && (len(c.Prefix) > mostPrefix || !prefixForm.MatchString(c.Prefix)) {
		t.r.wrong(joinKey(t.path, "prefix"), `expected 1 to %d letters, digits, "-" and "_", with dots between them, got %q`, mostPrefix, c.Prefix)
	}
	t.file("ca", &c.CA, MaxCertificates)
	t.file("certificate", &c.Certificate, MaxCertificates)
	t.file("private_key", &c.PrivateKey, MaxKeys)
	for _, pair := range [][2]string{{"certificate", "private_key"}, {"private_key", "certificate"}} {
		if t.has(pair[0]) {
			t.require(pair[1], "the path of a PEM file, since "+pair[0]+" is given")
		}
	}
	t.done()
	return c
}

// readNATS reads the URLs of the NATS servers.
func readNATS(t *table, c *Cluster) {
	wrong, secret := false, false
	given := t.texts("nats", func(at, s string) {
		password, err := checkNATS(s)
		switch {
		case err != nil:
			t.r.wrong(at, "%v", err)
			wrong = true
		case slices.Contains(c.NATS, s):
			t.r.wrong(at, "the URL is listed twice: remove one")
		default:
			c.NATS = append(c.NATS, s)
		}
		if password && !secret {
			secret = true
			t.r.secretFiles = append(t.r.secretFiles, SecretFile{Key: at, Path: t.r.fileOf(at)})
		}
	})
	at := joinKey(t.path, "nats")
	switch list, _ := t.values["nats"].([]any); {
	case !given || wrong:
	case len(list) == 0:
		t.r.wrong(at, "expected the URL of a NATS server, got an empty array: to share nothing, remove [cluster]")
	case len(list) > mostNATS:
		t.r.wrong(at, "expected at most %d URLs, got %d", mostNATS, len(list))
	}
}

// checkNATS returns what is wrong with the URL of a NATS server, and reports whether it has a
// user, password or token. The error does not show it: it may hold a password.
func checkNATS(s string) (secret bool, err error) {
	expected := func(what string) error {
		return errors.New(`expected a URL such as "nats://127.0.0.1:4222" or "tls://nats.example.org:4222", got one ` + what)
	}
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return false, expected("that cannot be parsed (not shown here, because it may have a password)")
	case u.Scheme != "nats" && u.Scheme != "tls":
		return u.User != nil, expected(`that begins with neither "nats://" nor "tls://"`)
	case strings.Contains(strings.TrimSuffix(u.Host, ":"+u.Port()), ":") && !strings.HasPrefix(u.Host, "["):
		return u.User != nil, expected("with an IPv6 address that is not in brackets")
	case u.Hostname() == "":
		return u.User != nil, expected("without a host")
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" || u.Opaque != "":
		return u.User != nil, expected("with something after the port")
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return u.User != nil, expected("whose port is not from 1 to 65535")
		}
	}
	return u.User != nil, nil
}

// Servers returns the URLs of the NATS servers without users and passwords.
func (c *Cluster) Servers() (list []string) {
	for _, s := range c.NATS {
		if u, err := url.Parse(s); err == nil { // they were checked
			u.User = nil
			list = append(list, u.String())
		}
	}
	return list
}

// UsesCluster reports whether something is shared with other gateways.
func (c *Config) UsesCluster() bool { return len(c.Cluster.NATS) > 0 }
