package udpback

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"radsec-gw/metrics"
	"radsec-gw/udpback/health"
)

// logTransition tells the operator of a change of a port's health. A port that wavers
// between up and suspect is told of once a minute.
func (e *endpoint) logTransition(t health.Transition) {
	if errors.Is(t.NoAddress, errAddressGone) { // told of where it was found
		return
	}
	address := slog.String("address", e.addressText())
	switch {
	case t.Alive: // told of when it is up
	case t.NoStatusServer:
		e.log.Warn("the server answers requests and never Status-Server; its health follows from its requests alone, as with health = \"none\"", address)
	case t.To == health.Up && t.Assumed:
		e.suspectLogged.Store(false)
		e.log.Info("the server is taken for up until something else is known", "was", t.From.String(), address)
	case t.To == health.Up && t.From == health.Suspect:
		if e.suspectLogged.Swap(false) {
			e.log.Info("the server answers again", "was", t.From.String(), address)
		}
	case t.To == health.Up:
		e.log.Info("the server answers again", "was", t.From.String(), address)
	case t.To == health.Suspect:
		suppressed, ok := e.suspectLimit.Allow()
		e.suspectLogged.Store(ok)
		if ok {
			fields := []any{address}
			if suppressed > 0 {
				fields = append(fields, "suppressed", suppressed)
			}
			e.log.Warn("the server is silent; probing it, new requests prefer other servers", fields...)
		}
	case t.To == health.Failing:
		e.log.Error("the server is failing: new requests prefer other servers", "hint", t.Hint(), address)
	case t.To == health.Down:
		e.log.Error("the server is down", "hint", t.Hint(), address)
	}
}

// noteLateAnswer tells of an answer that arrived after its request had gone to another
// server, and before that one's.
func (e *endpoint) noteLateAnswer(took, patience time.Duration) {
	e.metrics.Count(metrics.ServerRepliesAfterMove, 1)
	if took < patience {
		return
	}
	e.lateOnce.Do(func() {
		e.log.Warn("the server answered after its request had gone to another server as well; where answers take that long, as when a user must confirm a login, set patience of the route above it",
			"address", e.addressText(), "answered_after", took.Round(time.Millisecond), "patience", fmt.Sprint(patience))
	})
}
