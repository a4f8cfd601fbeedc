//go:build browser

package web

import (
	"bufio"
	"context"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/websocket"

	"radsec-gw/web/status"
)

// tab is a tab of a browser, driven by the DevTools protocol.
type tab struct {
	t       *testing.T
	ws      *websocket.Conn
	session string
	id      int
}

// openTab starts a browser with one empty tab.
func openTab(t *testing.T) *tab {
	ctx, cancel := context.WithCancel(context.Background())
	c := exec.CommandContext(ctx, chromium(t), append(browserFlags(t), "--remote-debugging-port=0", "--remote-allow-origins=*", "about:blank")...)
	out, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); c.Wait() })
	address := ""
	for lines := bufio.NewScanner(out); address == "" && lines.Scan(); {
		_, address, _ = strings.Cut(lines.Text(), "DevTools listening on ")
	}
	go func() { // it blocks when nobody reads
		for lines := bufio.NewScanner(out); lines.Scan(); {
		}
	}()
	b := &tab{t: t}
	if b.ws, err = websocket.Dial(address, "", "http://localhost"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.ws.Close() })
	var target struct{ TargetID string }
	b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var session struct{ SessionID string }
	b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &session)
	b.session = session.SessionID
	return b
}

// call calls a method and waits for its result.
func (b *tab) call(method string, params map[string]any, result any) {
	b.t.Helper()
	b.id++
	ask := map[string]any{"id": b.id, "method": method, "params": params}
	if b.session != "" {
		ask["sessionId"] = b.session
	}
	if err := websocket.JSON.Send(b.ws, ask); err != nil {
		b.t.Fatal(err)
	}
	b.ws.SetReadDeadline(time.Now().Add(time.Minute))
	for {
		var answer struct {
			ID     int
			Result json.RawMessage
			Error  json.RawMessage
		}
		if err := websocket.JSON.Receive(b.ws, &answer); err != nil {
			b.t.Fatalf("%s: %v", method, err)
		}
		if answer.ID != b.id {
			continue // an event
		}
		if answer.Error != nil {
			b.t.Fatalf("%s: %s", method, answer.Error)
		}
		if result != nil {
			if err := json.Unmarshal(answer.Result, result); err != nil {
				b.t.Fatal(err)
			}
		}
		return
	}
}

// text evaluates an expression in the page.
func (b *tab) text(expression string) string {
	var out struct{ Result struct{ Value any } }
	b.call("Runtime.evaluate", map[string]any{"expression": "String(" + expression + ")"}, &out)
	s, _ := out.Result.Value.(string)
	return s
}

// await waits until an expression has a value.
func (b *tab) await(expression, want string) {
	b.t.Helper()
	got := ""
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if got = b.text(expression); got == want {
			return
		}
	}
	b.t.Errorf("%s is %q, expected %q", expression, got, want)
}

// The script refreshes the page, filters while somebody types and sorts by number; all of it
// under the page's policy.
func TestTheScriptInChromium(t *testing.T) {
	_, address := browserBed(t, func(c *Config) {
		first, made := c.Snapshot, 0
		c.Snapshot = func(now time.Time, changed func(string) Changes) *status.Snapshot {
			s := first(now, changed)
			if made++; made > 2 {
				s.Clients = []status.Client{{Name: "nine", Requests: 9}, {Name: "ten", Requests: 10}, {Name: "hundred", Requests: 100}}
			}
			return s
		}
	})
	tab := openTab(t)
	tab.call("Page.navigate", map[string]any{"url": address}, nil)
	const names = `[...document.querySelectorAll("table[data-table=clients] tbody th a")].map(e => e.textContent).join()`
	tab.await(names, "campus,eduroam-flr")
	tab.await(names, "hundred,ten,nine") // it has refreshed itself
	packets := `document.querySelectorAll("table[data-table=clients] thead th button")[3].click()`
	tab.text(packets)
	tab.await(names, "hundred,ten,nine")
	tab.text(packets)
	tab.await(names, "nine,ten,hundred")
	tab.await(`document.querySelector("table[data-table=clients] [aria-sort]").getAttribute("aria-sort")`, "ascending")
	tab.text(`(() => { const f = document.getElementById("filter"); f.value = "hun"; f.dispatchEvent(new Event("input")); })()`)
	tab.await(names, "hundred")
	tab.await(`document.querySelector(".narrowed") !== null && location.search`, "?q=hun")
}

// Without a script the page has its content, its filter and its links.
func TestThePageWithoutScriptInChromium(t *testing.T) {
	_, address := browserBed(t, nil)
	tab := openTab(t)
	tab.call("Emulation.setScriptExecutionDisabled", map[string]any{"value": true}, nil)
	tab.call("Page.navigate", map[string]any{"url": address}, nil)
	tab.await(`document.querySelectorAll("thead button").length + " " + document.querySelectorAll("table[data-table=servers] tbody tr").length`, "0 4")
	tab.text(`(document.getElementById("filter").value = "radius-b", document.querySelector("form").requestSubmit())`)
	tab.await(`location.search + " " + document.querySelectorAll("table[data-table=servers] tbody tr").length`, "?q=radius-b 2")
}
