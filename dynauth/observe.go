package dynauth

import (
	"radsec-gw/audit"
	"radsec-gw/metrics"
)

// reportSent reports that a request is sent down a connection.
func (s *Server) reportSent(req *request, packet []byte) {
	s.reportStep(req, audit.StepSent, packet)
}

// reportReplied reports that the reply to a request has arrived.
func (s *Server) reportReplied(req *request, packet []byte) {
	s.reportStep(req, audit.StepReplied, packet)
}

func (s *Server) reportStep(req *request, kind audit.StepKind, packet []byte) {
	if !s.hub.Watching() {
		return
	}
	s.hub.Step(&audit.Step{Kind: kind, Event: req.event(), Local: req.link.Local, Remote: req.link.Remote, Packet: packet, Sends: 1, V11: req.link.V11, Result: metrics.ReplyAccepted})
}
