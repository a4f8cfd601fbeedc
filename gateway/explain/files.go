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
	"syscall"

	"radsec-gw/certs"
	"radsec-gw/config"
	"radsec-gw/files"
	"radsec-gw/gateway"
)

// serviceUser is whom the packages' unit runs the gateway as.
const serviceUser = "radsec-gw"

// account is a user, as far as files care.
type account struct {
	name   string
	uid    uint32
	groups []uint32
}

// nobody owns nothing and is in no group: what it can read, everybody can.
var nobody = account{name: "everybody", uid: ^uint32(0) - 1}

// printFiles says as whom the files were read. It returns what is odd about who
// may read them.
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
	list := fileWarnings(p, service)
	return append(list, signingKeys(p)...)
}

// readAs puts into words what it means that me could read the files; service is
// the user of the service, where that is another one and known.
func readAs(me, service account) string {
	who := fmt.Sprintf("uid %d", me.uid)
	if me.name != "" {
		who = fmt.Sprintf("%s (uid %d)", me.name, me.uid)
	}
	switch {
	case me.uid != 0:
		return who + ": the gateway must run as the same user"
	case service.name != "":
		return fmt.Sprintf("%s; whether %s (uid %d) may read them was told by their owners and modes", who, service.name, service.uid)
	}
	return who + ", who may read what the service's user may not: run check as that user, too"
}

// accountOf is the zero account when the user is not known.
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

// fileWarnings lists the files that service cannot read, when that is given, and
// the secrets that everybody can.
func fileWarnings(p *gateway.Plan, service account) (list []string) {
	warn := func(n gateway.File, format string, args ...any) {
		list = append(list, p.Config.MistakeAt(n.Key, fmt.Sprintf(format, args...)).String())
	}
	for _, n := range p.Files() {
		if service.name != "" {
			if at := service.stoppedAt(n.Path); at != "" {
				warn(n, "%s cannot read %s: its owner and mode at %s do not allow it; the service would not start", service.name, n.Path, at)
			}
		}
		if info, err := os.Stat(n.Path); err != nil || !info.Mode().IsRegular() || !n.Secret {
			continue
		}
		if nobody.stoppedAt(n.Path) == "" {
			warn(n, "everybody on this machine can read %s: take that away with chmod o-r", n.Path)
		}
	}
	return list
}

// stoppedAt returns where on the way to a file, or at the file itself, the owner
// and the mode keep the account from reading it; "": nowhere. Access control lists
// are not looked at.
func (a account) stoppedAt(path string) string {
	path, err := filepath.Abs(path)
	if err != nil {
		return ""
	}
	ways := []string{path}
	if real, err := filepath.EvalSymlinks(path); err == nil && real != path {
		ways = append(ways, real)
	}
	const read, enter = 4, 1
	for _, way := range ways {
		for i := range way {
			if i > 0 && way[i] == filepath.Separator && !a.may(enter, way[:i]) {
				return way[:i]
			}
		}
		if !a.may(read, way) {
			return way
		}
	}
	return ""
}

// may reports whether owner and mode give the account the permission: 4 to read, 1
// to enter a folder. What cannot be looked at counts as permitted: it is reported
// elsewhere.
func (a account) may(permission fs.FileMode, path string) bool {
	info, err := os.Stat(path)
	if err != nil || a.uid == 0 {
		return true
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !ok:
		return true
	case owner.Uid == a.uid:
		permission <<= 6
	case slices.Contains(a.groups, owner.Gid):
		permission <<= 3
	}
	return info.Mode().Perm()&permission != 0
}

// signingKeys warns of private keys of the CAs that lie beside them.
func signingKeys(p *gateway.Plan) (list []string) {
	path := p.Config.Listen.ClientCA
	if path == "" {
		return nil
	}
	from := files.NewReader().Snapshot(context.Background())
	beside := []string{filepath.Join(filepath.Dir(path), "ca.key"), strings.TrimSuffix(path, filepath.Ext(path)) + ".key"}
	for _, file := range slices.Compact(beside) {
		octets, err := from.Read(file, config.MaxKeys)
		if err != nil {
			continue // there is none, or the service cannot read it either
		}
		key, err := certs.ParseKey(file, octets)
		if err != nil {
			continue
		}
		if i := slices.IndexFunc(p.ClientCAs(), func(c *x509.Certificate) bool { return certs.Fits(c, key) == nil }); i >= 0 {
			list = append(list, p.Config.MistakeAt("listen.client_ca", fmt.Sprintf(
				"the private key of %s lies beside it (%s): the gateway does not need it, and whoever reads it can make clients; keep it elsewhere", p.ClientCAs()[i].Subject, file)).String())
		}
	}
	return list
}
