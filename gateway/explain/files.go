package explain

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"radsec-gw/audit"
	"radsec-gw/certs"
	"radsec-gw/config"
	"radsec-gw/files"
	"radsec-gw/gateway"
)

// serviceUser is the user that the packages' systemd unit runs the gateway as.
const serviceUser = "radsec-gw"

// account is a user, with what determines its access to files.
type account struct {
	name   string
	uid    uint32
	groups []uint32
}

// printFiles prints which user read the files, and returns warnings about what that user may
// read and the service may not, about keys of CAs, the tap's socket and the spool's directory.
func printFiles(w io.Writer, p *gateway.Plan) []string {
	t := table(w, "Files")
	defer t.Flush()
	me := account{uid: uint32(os.Getuid())} // user.Current may not know it: an image without /etc/passwd
	if u, err := user.LookupId(strconv.Itoa(os.Getuid())); err == nil {
		me.name = u.Username
	}
	service := account{}
	if me.uid == 0 {
		service = accountOf(user.Lookup(serviceUser))
	}
	fmt.Fprintf(t, "  read as\t%s\n", readAs(me, service))
	if all := p.Config.Files(); len(all) > 1 {
		for _, path := range all {
			fmt.Fprintf(t, "  configuration\t%s\n", path)
		}
	}
	list := slices.Concat(fileWarnings(p, service), signingKeys(p), spoolWarnings(p, service))
	if path := p.Config.Tap.Socket; path != "" {
		if err := audit.CheckTapPath(path); err != nil {
			list = append(list, p.Config.MistakeAt("tap.socket", err.Error()+"; radsec-gw tap could not connect").String())
		}
	}
	return list
}

// readAs says which user has read the files, and what that means for the service. service
// is the service's user, if that is another one and known.
func readAs(me, service account) string {
	who := fmt.Sprintf("uid %d", me.uid)
	if me.name != "" {
		who = fmt.Sprintf("%s (uid %d)", me.name, me.uid)
	}
	switch {
	case me.uid != 0:
		return who + ": the gateway must run as the same user"
	case service.name != "":
		return fmt.Sprintf("%s; whether %s (uid %d) may read them was determined from their owners and modes", who, service.name, service.uid)
	}
	return who + ", who may read what the service's user may not: run check as that user, too"
}

// accountOf returns the account of a user; the zero account when the user is not known.
func accountOf(u *user.User, err error) (a account) {
	if err != nil {
		return a
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return a
	}
	a = account{name: u.Username, uid: uint32(uid)}
	groups, _ := u.GroupIds()
	for _, text := range append(groups, u.Gid) {
		if gid, err := strconv.ParseUint(text, 10, 32); err == nil {
			a.groups = append(a.groups, uint32(gid))
		}
	}
	return a
}

// fileWarnings lists the files that service cannot read, if it is known.
func fileWarnings(p *gateway.Plan, service account) (list []string) {
	if service.name == "" {
		return nil
	}
	for _, f := range p.Files() {
		if at := service.stoppedAt(f.Path); at != "" {
			list = append(list, p.Config.MistakeAt(f.Key, fmt.Sprintf(
				"%s cannot read %s: its owner and mode at %s do not allow it; the service would not start", service.name, f.Path, at)).String())
		}
	}
	return list
}

// stoppedAt returns the file, or the directory on the way to it, whose owner and mode keep
// the account from reading the file; "" if the account can read it. Access control lists
// are ignored.
func (a account) stoppedAt(path string) string {
	path, err := filepath.Abs(path)
	if err != nil {
		return ""
	}
	paths := []string{path}
	if real, err := filepath.EvalSymlinks(path); err == nil && real != path {
		paths = append(paths, real)
	}
	const read, enter = 4, 1
	for _, p := range paths {
		for i := range p {
			if i > 0 && p[i] == filepath.Separator && !a.may(enter, p[:i]) {
				return p[:i]
			}
		}
		if !a.may(read, p) {
			return p
		}
	}
	return ""
}

// may reports whether owner and mode give the account a permission: 4 to read a file, 2 to
// write to it or to a directory, 1 to enter a directory. A file that cannot be examined counts as permitted: it is reported
// elsewhere.
func (a account) may(permission fs.FileMode, path string) bool {
	info, err := os.Stat(path)
	if err != nil || a.uid == 0 {
		return true
	}
	uid, gid, ok := owner(info)
	switch {
	case !ok:
		return true
	case uid == a.uid:
		permission <<= 6
	case slices.Contains(a.groups, gid):
		permission <<= 3
	}
	return info.Mode().Perm()&permission != 0
}

// signingKeys warns about private keys of CAs in the same directory as their certificates.
func signingKeys(p *gateway.Plan) (list []string) {
	from := files.NewReader().Snapshot(context.Background())
	fronts := p.Fronts()
	for i := range fronts {
		if key := fronts[i].Key("client_ca"); i == 0 || key != "listen.client_ca" {
			list = append(list, signingKeysBeside(p, &fronts[i], key, from)...)
		}
	}
	return list
}

// signingKeysBeside is the same for the CAs of one front.
func signingKeysBeside(p *gateway.Plan, f *gateway.FrontFiles, at string, from *files.Snapshot) (list []string) {
	path := f.Listen.ClientCA
	if path == "" {
		return nil
	}
	beside := []string{filepath.Join(filepath.Dir(path), "ca.key"), strings.TrimSuffix(path, filepath.Ext(path)) + ".key"}
	for _, file := range slices.Compact(beside) {
		b, err := from.Read(file, config.MaxKeys)
		if err != nil {
			continue // there is none, or the service cannot read it either
		}
		key, err := certs.ParseKey(file, b)
		if err != nil {
			continue
		}
		if i := slices.IndexFunc(f.ClientCAs, func(c *x509.Certificate) bool { return certs.Fits(c, key) == nil }); i >= 0 {
			list = append(list, p.Config.MistakeAt(at, fmt.Sprintf(
				"the private key of %s is in the same directory (%s): the gateway does not need it, and anyone who reads it can issue client certificates; keep it elsewhere", f.ClientCAs[i].Subject, file)).String())
		}
	}
	return list
}
