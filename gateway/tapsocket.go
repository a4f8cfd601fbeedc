package gateway

import (
	"context"
	"time"

	"radsec-gw/audit"
	"radsec-gw/config"
	"radsec-gw/files"
)

// tapSocket is the listener of taps.
type tapSocket struct {
	*audit.TapListener
	path string
}

// openTapSocket opens the socket for taps. It returns nil if the socket cannot be opened:
// the gateway can serve without taps.
func (g *Gateway) openTapSocket(path string) *tapSocket {
	s, err := g.listenTap(g.ctx, path)
	if err == nil {
		return s
	}
	log := g.log.Warn
	if path == config.DefaultTapSocket { // the configuration does not ask for it
		log = g.log.Info
	}
	log("radsec-gw tap cannot connect: no socket; set [tap].socket to a path where this user can create one", "path", path, "error", err)
	return nil
}

func (g *Gateway) listenTap(ctx context.Context, path string) (*tapSocket, error) {
	l, err := files.Open(ctx, g.reader, path, audit.ListenTap)
	if err != nil {
		return nil, err
	}
	return &tapSocket{TapListener: l, path: path}, nil
}

// tapWait bounds how long a reload waits for the disk of the tap's socket, which is usually
// in memory.
const tapWait = time.Second

// restoreTap makes the socket for taps again if its path no longer is the one that was made:
// something that cleans up old files has removed it, for example. Taps that are attached
// continue. If that fails the next poll tries again; the reason is logged once. Called with
// turn held.
func (g *Gateway) restoreTap() {
	current := g.current.Load()
	old := current.tap
	if old == nil {
		return
	}
	ctx, cancel := context.WithTimeout(g.reloadCtx, tapWait)
	defer cancel()
	lost := make(chan bool, 1) // the call may outlive its deadline
	err := g.reader.Call(ctx, old.path, func() error { lost <- !old.InPlace(); return nil })
	if err != nil || !<-lost {
		return
	}
	next := *current
	if next.tap, err = g.listenTap(ctx, old.path); err != nil {
		if !g.tapLost {
			g.log.Warn("the socket of radsec-gw tap is gone and cannot be made again; radsec-gw tap cannot connect", "path", old.path, "error", err)
		}
		g.tapLost = true
		return
	}
	g.tapLost = false
	g.current.Store(&next)
	g.serveSockets(&sockets{tap: next.tap})
	g.endSockets(&sockets{tap: old})
	g.log.Warn("the socket of radsec-gw tap was gone, and was made again", "path", old.path)
}
