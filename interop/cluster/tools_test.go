package cluster

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"radsec-gw/interop/testbed"
)

// The spool's commands list and drop what any gateway has stored, and say of a gateway that does
// not send that another does.
//
// Rules: SP14
func TestCommandsOfAnotherGateway(t *testing.T) {
	list, _ := startThree(t)
	leads := leader(list)
	if leads < 0 {
		t.Fatal("expected that a gateway leads")
	}
	sends, other := list[leads], list[(leads+1)%len(list)]
	shared.accounting.Suspend()
	defer shared.accounting.Resume()
	n, err := connect(t, "tools", sends.radsec)
	if err != nil {
		t.Fatal(err)
	}
	defer n.conn.Close()
	for _, kind := range kinds { // the first is sent to the server before it is stored, so that it is held
		if err := n.record(recordKey{"tools-1", kind}, 5*time.Second); err != nil {
			t.Fatal(err)
		}
	}
	if !testbed.Eventually(patience, func() bool { return other.Metrics().Sum("radsec_gw_spool_records") == 3 }) {
		t.Fatal("expected that the other gateway knows of the records")
	}
	for _, c := range []struct {
		gateway *gateway
		words   []string
		want    string
	}{
		{other, []string{"ls"}, "tools-1"},
		{sends, []string{"retry"}, "3 records are sent as fast as [spool] allows"},
		{other, []string{"retry"}, "3 records are sent by the gateway that leads"},
		{other, []string{"drop", "-all"}, "dropped 2 records, 1 are left\nAnother gateway leads"},
	} {
		text := c.gateway.command(t, c.words...)
		if !strings.Contains(text, c.want) || c.gateway == sends && strings.Contains(text, "leads") {
			t.Errorf("radsec-gw spool %q: expected %q, got %q", c.words, c.want, text)
		}
	}
	if !testbed.Eventually(patience, func() bool { return sends.Metrics().Sum("radsec_gw_spool_records") == 1 }) {
		t.Error("expected that the gateway that sends knows of what was dropped at another")
	}
	if text := sends.command(t, "drop", "-all"); text != "dropped 0 records, 1 are left\n" {
		t.Errorf("expected that what is held stays, got %q", text)
	}
}

// command runs radsec-gw spool with the configuration of a gateway that runs.
func (g *gateway) command(t *testing.T, words ...string) string {
	t.Helper()
	args := append([]string{"spool", words[0], "-config", filepath.Join(filepath.Dir(g.disk), "radsec-gw.toml")}, words[1:]...)
	text, err := exec.Command(testbed.Program(), args...).CombinedOutput()
	if err != nil {
		t.Fatalf("radsec-gw %q: %v\n%s", args, err, text)
	}
	return string(text)
}
