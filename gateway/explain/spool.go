package explain

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"radsec-gw/config"
	"radsec-gw/gateway"
	"radsec-gw/spool"
)

// printSpool prints what becomes of accounting that no server answers, if a route keeps it.
func printSpool(w io.Writer, cfg *config.Config) {
	if !cfg.UsesSpool() {
		return
	}
	s := &cfg.Spool
	t := table(w, "Accounting spool: what no server has answered is kept, and sent later")
	defer t.Flush()
	if s.Store == config.SpoolStoreJetStream {
		fmt.Fprintf(t, "  store\ta JetStream stream in the NATS of [cluster], in %s, which all gateways with prefix %q share; one of them sends the records of all\n", copiesText(s.Replicas), cfg.Cluster.Prefix)
		fmt.Fprintf(t, "  directory\t%s, for records that are set aside and the socket of radsec-gw spool\n", s.Directory)
	} else {
		fmt.Fprintf(t, "  directory\t%s\n", s.Directory)
	}
	fmt.Fprintf(t, "  holds at most\t%s of records (max_octets), and %s (max_records), which take about %s of memory\n",
		sizeText(s.MaxOctets), count(s.MaxRecords, "record"), memoryText(s.MaxRecords))
	fmt.Fprintf(t, "  when it is full\tnothing is stored, and the client gets no acknowledgement\n")
	fmt.Fprintf(t, "  drops\trecords that are older than %s (max_age): no server gets them\n", daysText(s.MaxAge))
	if s.ReplaceInterims {
		fmt.Fprintf(t, "  replaces\tInterim-Updates of a session, by its newer Interim-Update or Stop (replace_interims)\n")
	}
	fmt.Fprintf(t, "  sends\tto the servers of each route at most %s a second (replay_rate), of which at most %d wait for an answer (replay_window); of each session one at a time, the oldest first\n",
		count(s.ReplayRate, "record"), s.ReplayWindow)
	fmt.Fprintf(t, "  to silent servers\tone record at a time, after pauses of %v to %v, or when a server of the route can be reached again\n", spool.FirstPause, spool.LongestPause)
	fmt.Fprintf(t, "  sets aside\ta record that got no answer %s while its servers answered others (attempts): to %s, from where radsec-gw spool retry sends it again\n",
		timesText(s.Attempts), filepath.Join(s.Directory, spool.AsideFile))
}

// copiesText returns how many copies there are, for people.
func copiesText(n int) string {
	if n == 1 {
		return "one copy"
	}
	return fmt.Sprintf("%d copies", n)
}

// describeSpool says when accounting of a route goes to the spool; nothing if it never does.
func describeSpool(r *config.Route) []string {
	if !r.Spool {
		return nil
	}
	return []string{
		"an Accounting-Request goes to the spool, and is acknowledged when it is stored:",
		fmt.Sprintf("  when no server has answered it after %v (spool_after); they are asked on, and an answer removes it from there", r.SpoolAfter),
		"  at once when no server of the route can be reached",
		"  at once when an earlier record of its session is there, so that the servers get them in order",
		"  if it cannot be stored, it is given up like another request",
	}
}

// spoolWarnings warns of what would keep the gateway from storing records: the directory cannot be
// made or written, the disk is full, or the key is not as it must be. service is the user
// that the gateway runs as, if that is another one and known.
func spoolWarnings(p *gateway.Plan, service account) (list []string) {
	if !p.Config.UsesSpool() {
		return nil
	}
	s := &p.Config.Spool
	warn := func(format string, args ...any) {
		list = append(list, p.Config.MistakeAt("spool.directory", fmt.Sprintf(format, args...)).String())
	}
	octets := s.MaxOctets
	if s.Store == config.SpoolStoreJetStream {
		octets = 0 // they are on the disks of NATS
	}
	for _, err := range spool.Check(s.Directory, octets) {
		warn("%v; accounting that no server answers could not be stored", err)
	}
	if service.name == "" {
		return list
	}
	if at := service.unwritable(s.Directory); at != "" {
		warn("%s cannot write to %s: its owner and mode do not allow it; accounting that no server answers could not be stored", service.name, at)
	}
	return list
}

// unwritable returns the directory, the nearest above it that exists, a file in it, or a directory
// on the way to it, whose owner and mode keep the account from storing there; "" if nothing does.
func (a account) unwritable(directory string) string {
	for {
		if _, err := os.Stat(directory); err == nil || filepath.Dir(directory) == directory {
			break
		}
		directory = filepath.Dir(directory)
	}
	const write = 2
	if at := a.stoppedAt(filepath.Join(directory, "spool.db")); at != "" {
		return at
	}
	if !a.may(write, directory) {
		return directory
	}
	files, _ := os.ReadDir(directory)
	for _, f := range files {
		if path := filepath.Join(directory, f.Name()); f.Type().IsRegular() && !a.may(write, path) {
			return path
		}
	}
	return ""
}

// recordMemory is how much memory the spool takes for each record, for its place in the order.
const recordMemory = 225 // bytes

// memoryText returns how much memory so many records take.
func memoryText(records int) string {
	if n := records * recordMemory / 1_000_000; n > 0 {
		return fmt.Sprintf("%d MB", n)
	}
	return "1 MB"
}

// sizeText returns a number of bytes as the configuration would have it.
func sizeText(n int64) string {
	for i, unit := range []string{"TiB", "GiB", "MiB", "KiB"} {
		if size := int64(1) << (10 * (4 - i)); n%size == 0 {
			return fmt.Sprintf("%d %s", n/size, unit)
		}
	}
	return fmt.Sprintf("%d bytes", n)
}

// daysText returns a length of time, in days if it is whole ones.
func daysText(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d == day:
		return "1 day"
	case d%day == 0:
		return fmt.Sprintf("%d days", d/day)
	}
	return d.String()
}

// timesText returns how often something happens.
func timesText(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}
