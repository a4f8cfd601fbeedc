package gateway

import (
	"time"

	"radsec-gw/logs"
	"radsec-gw/spool"
	"radsec-gw/web/status"
)

// The states of a route's records in the spool.
const (
	spoolSending = "sending"
	spoolPaused  = "paused"
	spoolTrying  = "trying"
	spoolWaiting = "waiting"
	spoolEmpty   = "empty"
)

// mostSpoolRoutes bounds the routes of a snapshot that the spool has records of.
const mostSpoolRoutes = 1000

// spoolStatus returns the state of the spool and of the routes that it has records of; nil if no
// route has used it.
func (g *Gateway) spoolStatus(current *generation, now time.Time) (*status.Spool, []status.SpoolRoute) {
	s := g.spool.Load()
	if s == nil {
		return nil, nil
	}
	st, limits, counts := s.State(), s.Limits(), g.metrics.Spool().Counts()
	out := &status.Spool{
		Directory: logs.Clip(asWritten(current.Config, s.Directory())),
		Records:   st.Records, RecordsLimit: limits.MaxRecords, Octets: st.Octets, OctetsLimit: limits.MaxOctets, MaxAge: int64(limits.MaxAge / time.Second),
		Waiting: st.Waiting, InFlight: st.Sending,
		Stored: counts.Stored, Answered: counts.Answered, Refused: counts.Refused, Dropped: counts.Dropped, SetAside: counts.SetAside, SetAsideBytes: st.Aside, SentElsewhere: st.Elsewhere,
	}
	if st.Err != nil {
		out.Error = logs.Clip(st.Err.Error())
	}
	if st.Oldest > 0 {
		out.OldestAt = timeOrNil(now.Add(-st.Oldest))
	}
	return out, spoolRoutes(s.Routes(mostSpoolRoutes), now)
}

// spoolRoutes returns what the spool has of each route.
func spoolRoutes(routes []spool.RouteState, now time.Time) []status.SpoolRoute {
	list := make([]status.SpoolRoute, 0, len(routes))
	for _, r := range routes {
		one := status.SpoolRoute{Route: logs.Clip(r.Route), Records: r.Records, InFlight: r.Sending, State: spoolStateOf(&r)}
		if one.State == spoolPaused {
			one.ResumesAt = timeOrNil(now.Add(r.Resumes))
		}
		if r.Answered > 0 {
			one.LastAnswerAt = timeOrNil(now.Add(-r.Answered))
		}
		list = append(list, one)
	}
	return list
}

// spoolStateOf returns what happens to the records of a route.
func spoolStateOf(r *spool.RouteState) string {
	switch {
	case r.Records == 0:
		return spoolEmpty
	case r.Silent && r.Resumes > 0 && r.Sending == 0:
		return spoolPaused
	case r.Silent:
		return spoolTrying
	case r.Sending > 0 || r.Ready > 0:
		return spoolSending
	}
	return spoolWaiting
}
