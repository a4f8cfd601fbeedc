package certs

import (
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// caName is the common name of the development CA.
const caName = "radsec-gw development CA"

// DirOptions say what WriteDir makes.
type DirOptions struct {
	Hosts    []string      // of the server; nil: DevelopmentHosts
	Clients  []string      // names; a name's files are NAME.pem and NAME.key
	Validity time.Duration // of the server's and the clients' certificates; 0: two years
	Force    bool          // replace existing files, except a CA that can sign
	CAKey    string        // file of the CA's private key, kept outside of what a gateway may read; "": ca.key in the directory
}

// Entry is what WriteDir reports about one certificate.
type Entry struct {
	File string // the certificate's path
	Kept bool   // it existed, and was not changed
	Pair *Pair  // without its key when Kept, except for the CA
}

// WriteDir puts a CA, a server's certificate and clients' certificates into
// dir: ca.pem, server.pem and NAME.pem (mode 0644) with ca.key, server.key and
// NAME.key (mode 0600; the directory is made with 0700). Existing files
// are kept unless o.Force, and an existing CA signs the rest.
func WriteDir(dir string, o DirOptions) ([]Entry, error) {
	for _, name := range o.Clients {
		if err := checkClientName(name); err != nil {
			return nil, err
		}
	}
	hosts := o.Hosts
	if hosts == nil {
		hosts = DevelopmentHosts()
	}
	for _, host := range hosts {
		if err := checkServerHost(host); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the directory: %w", err)
	}
	ca, entry, err := caOfDir(dir, cmp.Or(o.CAKey, filepath.Join(dir, "ca.key")), o.Force)
	if err != nil {
		return nil, err
	}
	entries := []Entry{entry}

	var changes []Change
	if o.Validity > 0 {
		end := time.Now().Add(o.Validity)
		if last := ca.Certificate.NotAfter; end.After(last) { // nobody accepts it after that (RFC 5280 §6.1.3)
			end = last
		}
		changes = append(changes, func(t *x509.Certificate) { t.NotAfter = end })
	}
	entry, err = ca.writePair(dir, "server", o.Force, func() (*Pair, error) { return ca.Server(hosts, changes...) })
	if err != nil {
		return entries, err
	}
	entries = append(entries, entry)
	for _, name := range o.Clients {
		entry, err = ca.writePair(dir, name, o.Force, func() (*Pair, error) { return ca.Client(name, changes...) })
		if err != nil {
			return entries, err
		}
		entries = append(entries, entry)
	}
	return entries, nil
}

// checkClientName checks that a name can be used for files and as a dNSName.
func checkClientName(name string) error {
	const letters = hostLetters + "."
	switch {
	case name == "ca" || name == "server":
		return fmt.Errorf("expected another name for a client than %q, whose files are the %s's", name, name)
	case name == "" || len(name) > 64 || strings.Trim(name, letters) != "" || strings.ContainsAny(name[:1], "-."):
		return fmt.Errorf("expected a client's name of at most 64 letters, digits, \"-\", \"_\" and \".\", got %q", name)
	}
	return nil
}

// checkServerHost checks that a name or an address can be in a server's certificate: a DNS
// name (RFC 1123 §2.1, with the underscore that Docker's names may have) whose first label
// may be "*", or an IP address.
func checkServerHost(host string) error {
	wrong := fmt.Errorf("expected host names and IP addresses, separated by commas, without blanks or ports, got %q", host)
	if net.ParseIP(host) != nil {
		return nil
	}
	if len(host) > 253 {
		return wrong
	}
	labels := strings.Split(strings.TrimPrefix(host, "*."), ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' || strings.Trim(label, hostLetters) != "" {
			return wrong
		}
	}
	if strings.Trim(labels[len(labels)-1], "0123456789") == "" { // a mistyped IPv4 address
		return wrong
	}
	return nil
}

// hostLetters are the characters of a label of a host name.
const hostLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

// caOfDir loads the CA of dir, whose private key is in the file key, or makes it. A
// CA that cannot sign is replaced only with force, because everything that it signed
// has to be replaced, too.
func caOfDir(dir, key string, force bool) (*CA, Entry, error) {
	cert := filepath.Join(dir, "ca.pem")
	if exists(cert) || exists(key) {
		ca, err := LoadSigner(cert, key)
		if err == nil {
			return ca, Entry{File: cert, Kept: true, Pair: &ca.Pair}, nil
		}
		if !force {
			return nil, Entry{}, fmt.Errorf("the CA cannot sign: %w; -force makes a new one, and then all certificates again", err)
		}
	}
	ca, err := NewCA(caName)
	if err != nil {
		return nil, Entry{}, err
	}
	return ca, Entry{File: cert, Pair: &ca.Pair}, ca.write(cert, key, force)
}

// LoadSigner reads a CA and its key, and checks that it can sign now.
func LoadSigner(certFile, keyFile string) (*CA, error) {
	chain, err := LoadCertificates(certFile)
	if err != nil {
		return nil, err
	}
	key, err := loadKey(keyFile)
	if err != nil {
		return nil, err
	}
	c := chain[0]
	if err := Fits(c, key); err != nil {
		return nil, fmt.Errorf("%s is not the key of %s: %w", keyFile, certFile, err)
	}
	if !c.IsCA {
		return nil, fmt.Errorf("%s: %s is not a CA", certFile, c.Subject)
	}
	if now := time.Now(); now.Before(c.NotBefore) || now.After(c.NotAfter) {
		return nil, fmt.Errorf("%s: valid from %s to %s only", certFile, c.NotBefore.Format(time.DateOnly), c.NotAfter.Format(time.DateOnly))
	}
	return &CA{Pair{Certificate: c, Key: key}}, nil
}

// writePair writes NAME.pem and NAME.key, signed by ca, unless both exist.
func (ca *CA) writePair(dir, name string, force bool, issue func() (*Pair, error)) (Entry, error) {
	cert, key := filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key")
	if !force && exists(cert) && exists(key) {
		chain, err := LoadCertificates(cert)
		if err != nil {
			return Entry{}, err
		}
		if err := chain[0].CheckSignatureFrom(ca.Certificate); err != nil {
			return Entry{}, fmt.Errorf("%s was signed by another CA than the one beside it: -force makes it again", cert)
		}
		return Entry{File: cert, Kept: true, Pair: &Pair{Certificate: chain[0]}}, nil
	}
	p, err := issue()
	if err != nil {
		return Entry{}, err
	}
	return Entry{File: cert, Pair: p}, p.write(cert, key, force)
}

// write writes the pair to two files, the key first: a certificate without a key
// misleads more than a key without a certificate.
func (p *Pair) write(certFile, keyFile string, force bool) error {
	key, err := p.KeyPEM()
	if err != nil {
		return err
	}
	if !force && exists(certFile) {
		return fmt.Errorf("%s exists, but %s does not: put the key back, or -force makes both again", certFile, keyFile)
	}
	if err := writeFile(keyFile, key, 0o600, force); err != nil {
		return err
	}
	return writeFile(certFile, p.CertPEM(), 0o644, force)
}

// writeFile makes a file with exactly that mode. With force it replaces an existing
// file by renaming, so that no process reads half a key, or a key with the old mode; it
// replaces nothing but a file, and touches no other one.
func writeFile(path string, data []byte, mode os.FileMode, force bool) error {
	f, err := createFile(path, force)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(mode) // regardless of the umask
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if !force {
		return err
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		err = errors.Join(err, os.Remove(f.Name()))
	}
	return err
}

// createFile creates the file at path, which must not exist, or with force one beside it
// that is to be renamed. Only its owner can read it.
func createFile(path string, force bool) (*os.File, error) {
	if !force {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, os.ErrExist) {
			err = fmt.Errorf("%s exists: -force replaces it", path)
		}
		return f, err
	}
	if info, err := os.Lstat(path); err == nil && info.Mode()&os.ModeType&^os.ModeSymlink != 0 { // /dev/null is not for replacing
		return nil, fmt.Errorf("expected the name of a file, got %s, which is not a regular file", path)
	}
	return os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
