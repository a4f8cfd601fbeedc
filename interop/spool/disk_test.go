package spool

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"radsec-gw/interop/testbed"
)

// The disk of the spool is full while the server is away. What cannot be stored is not
// acknowledged, and NASes send it again; the gateway says so, and goes on by itself when the
// server is back and records free space. Nothing that was acknowledged is missing.
//
// Rules: SP2, SP10
func TestFullDisk(t *testing.T) {
	directory := t.TempDir()
	g := newGateway(t, directory, "")
	// A file system of its own, that only the gateway sees and that ends with it.
	g.start("unshare", "--mount", "sh", "-c", `mount -t tmpfs -o size=2m none "$0" && exec "$@"`, directory)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	shared.freeradius.Suspend()
	defer shared.freeradius.Resume()
	all := make([]*nas, nases)
	var sending sync.WaitGroup
	for i := range all {
		all[i] = &nas{t: t, name: fmt.Sprintf("full%d", i), address: g.address, tls: clientTLS(t), pause: nasPause}
		sending.Go(func() { all[i].run(ctx) })
	}
	if !testbed.Eventually(2*time.Minute, func() bool {
		m := g.Metrics()
		return m.Sum("radsec_gw_spool_refused_total", "reason", "disk") > 200 && m.Sum("radsec_gw_spool_up") == 0
	}) {
		t.Fatalf("expected that the disk fills and records are refused; spool: %v records", g.Metrics().Sum("radsec_gw_spool_records"))
	}
	g.Says("the spool cannot write", "no space left on device")
	shared.freeradius.Resume()
	if !testbed.Eventually(2*time.Minute, func() bool { return g.Metrics().Sum("radsec_gw_spool_up") == 1 }) {
		t.Fatal("expected that the spool can write again when records have freed space")
	}
	stop()
	sending.Wait()
	if !g.emptied(2 * time.Minute) {
		t.Fatalf("expected that the spool empties, got %v records left", g.Metrics().Sum("radsec_gw_spool_records"))
	}
	report(t, 0, all)
}
