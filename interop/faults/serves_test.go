package faults

import "testing"

// The bed as it is works: what fails elsewhere fails for what the test changed.
func TestTheBedServes(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.checkSays(0)
	g := b.serve()
	c := g.dial(b.client)
	for _, pair := range [][2]byte{{accessRequest, accessAccept}, {accountingRequest, accountingResponse}, {coaRequest, coaACK}, {disconnectRequest, disconnectACK}} {
		asked := request(pair[0], 1, userName("user@example.org"))
		if got := c.ask(asked); got[0] != pair[1] || !verifies(got, asked, radsecSecret) {
			t.Errorf("code %d is answered with %d, expected %d that verifies", pair[0], got[0], pair[1])
		}
	}
	if status, _ := g.get("/readyz"); status != 200 {
		t.Errorf("/readyz answers %d, expected 200", status)
	}
	if got := len(b.server.requests()); got != 4 {
		t.Errorf("the server got %d requests, expected 4", got)
	}
}
