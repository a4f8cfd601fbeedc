package metrics

import (
	"sync/atomic"
	"time"

	"radsec-gw/wire"
)

// ServerCounter is one of the counters that each port of a server has. To add one, add
// its constant and its line in the table, and call Count where it happens.
type ServerCounter int

// The counters of a server's port. ServerReplies is counted by CountReply, ServerAnswers
// by CountAnswer, ServerProbes by CountProbe, the others by Count.
const (
	ServerSent             ServerCounter = iota // requests sent for the first time
	ServerResent                                // retransmissions
	ServerTimeouts                              // exchanges unanswered to the end of their schedule
	ServerSocketErrors                          // failed system calls
	ServerReplies                               // datagrams received
	ServerAnswers                               // accepted answers to requests of clients
	ServerSentOctets                            // octets of packets sent, checks and retransmissions included
	ServerReceivedOctets                        // octets of packets received
	ServerMoved                                 // requests that moved on to another server
	ServerRepliesAfterMove                      // replies to requests that had moved on, before the other server's
	ServerRenewals                              // renewals of the sockets
	ServerProbes                                // health checks, called probes in the metrics

	NumServerCounters // how many there are
)

// The indexes of the series of ServerProbes.
const (
	probesAnswered = iota
	probesUnanswered
	probesUnverified
)

var serverFamilies = [NumServerCounters]family{
	ServerSent:         {name: "server_requests_sent_total", help: "Requests sent to a UDP server for the first time, retransmissions not counted."},
	ServerResent:       {name: "server_requests_resent_total", help: "Retransmissions sent to a UDP server."},
	ServerTimeouts:     {name: "server_timeouts_total", help: "Exchanges that a UDP server left unanswered to the end of their schedule."},
	ServerSocketErrors: {name: "server_socket_errors_total", help: "Failed system calls on the sockets to a UDP server, such as those reporting an ICMP port unreachable."},
	ServerReplies: {"server_replies_total", "Datagrams received from a UDP server, by what they were.",
		[]string{"result"}, valuesOf(NumResults)},
	ServerAnswers: {"server_answers_total", "Verified answers of a UDP server to the requests of clients, by their Code; answers to health checks are not counted.",
		[]string{"code"}, valuesOf(NumAnswers)},
	ServerSentOctets:       {name: "server_sent_bytes_total", help: "Octets of the packets sent to a UDP server, with retransmissions and health checks."},
	ServerReceivedOctets:   {name: "server_received_bytes_total", help: "Octets of the packets received from a UDP server, whatever they were."},
	ServerMoved:            {name: "server_requests_moved_total", help: "Requests that moved on to another server because this one left them unanswered, was failing or down, could not route them, or rejected them (on_reject)."},
	ServerRepliesAfterMove: {name: "replies_after_move_total", help: "Answers of a UDP server that arrived after their request had gone to another server as well, and before that one's."},
	ServerRenewals:         {name: "server_socket_renewals_total", help: "Times that new sockets took the place of those to a UDP server, because it was silent, unreachable or had another address."},
	ServerProbes: {"server_probes_total", "Health checks of a UDP server, by whether they were answered; unverified: only by what does not verify.",
		[]string{"result"}, [][]string{probesAnswered: {"answered"}, probesUnanswered: {"unanswered"}, probesUnverified: {"unverified"}}},
}

// maxServerLabels is how many ports of servers have series of their own: those of a
// thousand servers that have all three.
const maxServerLabels = 3000

type serverKey struct {
	name string
	port Port
}

// Server is the handle for one port of one UDP server. Its methods may be
// called from any goroutine, allocate nothing and take no lock.
type Server struct {
	owner     // static after construction; its counters by ServerCounter
	replyTime histogram

	outstanding level
	sockets     level
	capacity    level         // the most that can be outstanding
	state       atomic.Uint32 // a State
	hadState    atomic.Uint32 // a bit for each State that was set
	proven      atomic.Bool
	address     atomic.Pointer[string]
}

// Server returns the handle for one port of the server of this configured
// name. The same pair gives the same handle until KeepServers removes it, so counts go on
// over a reload.
func (m *Metrics) Server(name string, port Port) *Server {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := serverKey{name, port}
	if s := m.servers[key]; s != nil {
		return s
	}
	s := &Server{owner: m.ofServers.create(time.Now(), name, string(port))}
	s.state.Store(uint32(StateDown)) // until the health checks have set another
	m.servers[key] = s
	return s
}

// Count adds n to a counter.
func (s *Server) Count(c ServerCounter, n int) { s.counters[c][0].n.Add(uint64(n)) }

// CountReply counts one datagram from the server.
func (s *Server) CountReply(r Result) { s.counters[ServerReplies][r].n.Add(1) }

// CountAnswer counts one accepted answer to a client's request, by its Code.
func (s *Server) CountAnswer(code wire.Code) { s.counters[ServerAnswers][AnswerOf(code)].n.Add(1) }

// CountProbe counts one health check by whether it was answered.
func (s *Server) CountProbe(answered bool) {
	series := probesUnanswered
	if answered {
		series = probesAnswered
	}
	s.counters[ServerProbes][series].n.Add(1)
}

// CountUnverifiedProbe counts one health check that was answered only by what does not
// verify.
func (s *Server) CountUnverifiedProbe() { s.counters[ServerProbes][probesUnverified].n.Add(1) }

// SetAddress sets the address of the server's port, for the status page. Unlike the
// counts, it allocates.
func (s *Server) SetAddress(a string) { s.address.Store(&a) }

// Address returns what SetAddress has set, "" before that.
func (s *Server) Address() string {
	if a := s.address.Load(); a != nil {
		return *a
	}
	return ""
}

// AddOutstanding adds n (negative when exchanges end) to the requests that wait.
func (s *Server) AddOutstanding(n int) { s.outstanding.add(n) }

// AddSockets adds n (negative when sockets close) to the sockets open.
func (s *Server) AddSockets(n int) { s.sockets.add(n) }

// SetCapacity sets how many requests can be outstanding.
func (s *Server) SetCapacity(n int64) { s.capacity.n.Store(n) }

// ObserveReply records the time from the first transmission of a request to
// its accepted reply: two atomic adds.
func (s *Server) ObserveReply(d time.Duration) { s.replyTime.observe(d) }
