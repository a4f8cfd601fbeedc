package cluster

import (
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"radsec-gw/cluster/natstest"
)

// Subscriptions that were denied are made again by connecting anew, ever less often; what may not be
// published is not a reason for that.
//
// Rules: GW2, GW6
func TestDeniedSubscriptions(t *testing.T) {
	servers := natstest.StartWith(t, 1, natstest.Options{Plain: true, Config: `accounts { A { users: [
		{ user: all, password: all },
		{ user: deaf, password: deaf, permissions: { subscribe: ["other"] } },
		{ user: mute, password: mute, permissions: { publish: ["other"] } } ] } }`, Client: []nats.Option{nats.UserInfo("all", "all")}})
	as := func(user string) []string {
		return []string{strings.Replace(servers.URLs()[0], "nats://", "nats://"+user+":"+user+"@", 1)}
	}
	mute, muteLog := connect(t, Config{URLs: as("mute")})
	await(t, mute, true)
	if err := mute.NATS().Publish("p.x", nil); err != nil {
		t.Fatal(err)
	}
	until(t, "a publication to be denied", func() bool { return strings.Contains(muteLog.String(), "NATS denies this gateway a subject") })

	all := servers.Connect()
	deaf, log := connect(t, Config{URLs: as("deaf")})
	await(t, deaf, true)
	sub, err := deaf.NATS().SubscribeSync("p.x")
	if err != nil {
		t.Fatal(err)
	}
	until(t, "some new connections", func() bool { return deaf.NATS().Stats().Reconnects >= 2 })
	deaf.mu.Lock()
	pause := deaf.denials.pause
	deaf.mu.Unlock()
	if pause < 2*quick.denied {
		t.Errorf("expected a longer pause than %v after the second time, got %v", quick.denied, pause)
	}
	if !strings.Contains(log.String(), "connecting to NATS anew") {
		t.Errorf("expected the log to tell of it, got:\n%s", log)
	}
	servers.Reload(0, `permissions: { subscribe: ["other"] }`, "")
	until(t, "a message, because the permission is given back", func() bool {
		if err := all.Publish("p.x", nil); err != nil {
			t.Fatal(err)
		}
		_, err := sub.NextMsg(time.Millisecond)
		return err == nil
	})
	until(t, "the next pause to be short again", func() bool {
		deaf.mu.Lock()
		defer deaf.mu.Unlock()
		return deaf.denials.pause == 0
	})
	if n := mute.NATS().Stats().Reconnects; n != 0 {
		t.Errorf("expected no new connection because of what may not be published, got %d", n)
	}
}
