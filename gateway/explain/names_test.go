package explain

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"radsec-gw/config"
)

// The report has the addresses that each name has now, and how they are used.
func TestDescribeName(t *testing.T) {
	var list []netip.Addr
	for _, a := range []string{"2001:db8::1", "10.0.0.6", "10.0.0.5", "::ffff:10.0.0.5"} {
		list = append(list, netip.MustParseAddr(a))
	}
	resolve := func(_ context.Context, network, host string) ([]netip.Addr, error) {
		switch host {
		case "many.internal", "pool.internal":
			return list, nil
		case "one.internal":
			return list[1:2], nil
		}
		return nil, errors.New("no such host")
	}
	for _, x := range []struct {
		server config.Server
		want   []string
		not    string
	}{
		{config.Server{Address: "10.0.0.9"}, nil, "looked up"},
		{config.Server{Address: "one.internal", ResolveInterval: 30 * time.Second}, []string{
			"one.internal is 10.0.0.6 now\n", "looked up in the background: every 30s, when the server is silent, and at SIGHUP\nwhile that fails, the last addresses stay"}, "at a time"},
		{config.Server{Address: "many.internal"}, []string{
			"many.internal is 10.0.0.5, 10.0.0.6, 2001:db8::1 now\nthat is one server, used at one address at a time", "background: only when the server is silent, and at SIGHUP"}, "each 0s"},
		{config.Server{Name: "pool", Address: "pool.internal", Expand: true}, []string{
			"each address is a server of its own while the name has it: pool@10.0.0.5, pool@10.0.0.6, pool@2001:db8::1\n"}, "at a time"},
		{config.Server{Address: "nobody.internal"}, []string{
			"nobody.internal has no address now\nuntil it has one, the server is down; nothing waits for the name server"}, "each address"},
	} {
		cfg := &config.Config{Servers: []config.Server{x.server}}
		got := strings.Join(describeName(&x.server, resolveNames(t.Context(), cfg, resolve)), "\n") + "\n"
		for _, want := range x.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: expected %q, got\n%s", x.server.Address, want, got)
			}
		}
		if strings.Contains(got, x.not) {
			t.Errorf("%s: expected nothing of %q, got\n%s", x.server.Address, x.not, got)
		}
	}
}

// Names whose name server does not answer do not keep other names from being looked up, nor
// the report from ending: all are looked up concurrently, within one timeout.
func TestNamesThatHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := &config.Config{}
		for i := range maxLookups - 1 {
			cfg.Servers = append(cfg.Servers, config.Server{Address: fmt.Sprintf("hangs-%d.internal", i)})
		}
		cfg.Servers = append(cfg.Servers, config.Server{Address: "lives.internal"})
		ctx, cancel := context.WithTimeout(t.Context(), lookupTimeout)
		defer cancel()
		began := time.Now()
		found := resolveNames(ctx, cfg, func(ctx context.Context, _, host string) ([]netip.Addr, error) {
			if host == "lives.internal" {
				return []netip.Addr{netip.MustParseAddr("10.0.0.1")}, nil
			}
			<-ctx.Done()
			return nil, ctx.Err()
		})
		if took := time.Since(began); took != lookupTimeout {
			t.Errorf("expected the lookups to take %v, they took %v", lookupTimeout, took)
		}
		warnings := strings.Join(cfg.NameWarnings(ctx, found.lookup), "\n")
		if n := strings.Count(warnings, "has no address now"); n != maxLookups-1 || strings.Contains(warnings, "lives.internal") {
			t.Errorf("expected a warning for each of the %d names that hang and none for the other, got\n%s", maxLookups-1, warnings)
		}
	})
}
