//go:build linux

package world

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"radsec-gw/bench/material"
	"radsec-gw/interop/testbed"
)

var (
	withoutFlag = flag.String("without", "", "with -binary: leave these `KEYS`, separated by commas, out of configurations")
	soakFlag    = flag.Duration("soak", 20*time.Second, "how long the soak takes")
)

// built is what TestMain has made for all tests; read only afterwards.
var built struct {
	files   material.Files // certificates
	without []string       // configuration keys to omit
}

const patience = testbed.Patience

func TestMain(m *testing.M) {
	flag.Parse()
	if os.Geteuid() != 0 {
		os.Exit(asRoot())
	}
	testbed.Main(func(dir string) (status int, err error) {
		if err := testbed.NeedPrograms("ip", "nft", "prlimit", "promtool"); err != nil {
			return 1, err
		}
		if err := needNamespaces(); err != nil {
			return 1, err
		}
		if built.files, err = material.Write(dir); err != nil {
			return 1, err
		}
		if *withoutFlag != "" {
			built.without = strings.Split(*withoutFlag, ",")
		}
		if err := manyAtOnce(); err != nil {
			return 1, err
		}
		return m.Run(), nil
	})
}

// manyAtOnce lets more tests run at once than there are processors: they wait most of their
// time. Tests that measure latency are not parallel and have the machine alone.
func manyAtOnce() error {
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		return f.Value.Set("16")
	}
	return nil
}

// asRoot runs the tests once more, as root of a user namespace, and returns their status.
func asRoot() int {
	again := exec.Command("/proc/self/exe", os.Args[1:]...)
	again.Args[0] = os.Args[0]
	again.Stdin, again.Stdout, again.Stderr = os.Stdin, os.Stdout, os.Stderr
	again.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		Pdeathsig:   syscall.SIGKILL,
	}
	err := again.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.ExitCode() > 0 {
		return exit.ExitCode()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "FAIL: these tests make network namespaces: run them as root, or allow user namespaces:", err)
		return 1
	}
	return 0
}

// needNamespaces tries what the worlds are made of, and names what the kernel or the container forbids.
func needNamespaces() error {
	trial, err := openNamespace("trial")
	if err != nil {
		return fmt.Errorf("no network and mount namespaces: %w: the tests need CAP_SYS_ADMIN and CAP_NET_ADMIN, as root has on a host or in a privileged container", err)
	}
	defer trial.close()
	for _, facility := range []struct{ what, command string }{
		{"veth devices (CONFIG_VETH)", "ip link add near type veth peer name far"},
		{"nftables (CONFIG_NF_TABLES)", "nft add table ip trial"},
		{"NAT of nftables (CONFIG_NFT_NAT)", "nft add chain ip trial out { type nat hook output priority -100 ; }"},
		{"destination NAT (CONFIG_NFT_NAT)", "nft add rule ip trial out udp dport 1812 dnat to 10.0.0.1"},
		{"unreachable routes", "ip route add unreachable 10.0.0.1"},
	} {
		if out, err := trial.try(facility.command); err != nil {
			return fmt.Errorf("missing: %s: %s: %w: %s", facility.what, facility.command, err, out)
		}
	}
	return nil
}

// withoutKeys omits the lines that set one of the keys of -without.
func withoutKeys(config string) string {
	if len(built.without) == 0 {
		return config
	}
	var kept []string
	for line := range strings.Lines(config) {
		key, _, is := strings.Cut(line, "=")
		if !is || !slices.Contains(built.without, strings.TrimSpace(key)) {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}
