package web

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"radsec-gw/logs"
)

// Maintenance says what is asked for of a server, as JSON.
type Maintenance struct {
	Server      string            `json:"server"`            // its name, or the label of one of its addresses
	Maintenance bool              `json:"maintenance"`       // it gets no new requests; of a name with expand: none of its addresses does
	Configured  bool              `json:"configured"`        // the file asks for it
	Ordered     string            `json:"ordered,omitempty"` // "on" or "off", which precedes the file; "": no order
	Since       *time.Time        `json:"since,omitempty"`   // of the order
	Absent      bool              `json:"absent,omitempty"`  // its name does not have this address now
	Ports       map[string]string `json:"ports"`             // what each would be without maintenance, such as "up"

	Addresses []MaintenanceOfAddress `json:"addresses,omitempty"` // the orders for single addresses of a name with expand
}

// MaintenanceOfAddress is an order for one address of a server with expand, as JSON.
type MaintenanceOfAddress struct {
	Server  string    `json:"server"`           // NAME@ADDRESS
	Ordered string    `json:"ordered"`          // "on" or "off"
	Since   time.Time `json:"since"`            // of the order
	Absent  bool      `json:"absent,omitempty"` // the name does not have the address now; the order waits for it
}

// showMaintenance answers GET /api/v1/servers/NAME/maintenance.
func (s *Server) showMaintenance(w http.ResponseWriter, r *http.Request) {
	m, ok := s.cfg.Maintenance(r.PathValue("name"))
	if !ok {
		http.Error(w, "there is no server of this name; expected that of a [[server]], or NAME@ADDRESS of one with expand", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(m) // what fails here is the caller's connection
}

// changeMaintenance answers PUT, whose body is "on" or "off", and DELETE, after which the
// file counts again. Both need a token even if reading needs none: otherwise anyone who can
// reach the port could take every server out of use.
func (s *Server) changeMaintenance(w http.ResponseWriter, r *http.Request) {
	if len(s.current.Load().token) == 0 {
		http.Error(w, "maintenance can be ordered here only when [metrics] has a token; maintenance = true of a [[server]] and a reload do the same without", http.StatusForbidden)
		return
	}
	name, order, on := r.PathValue("name"), "removed", (*bool)(nil)
	if r.Method == http.MethodPut {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, "expected a body of one word", http.StatusRequestEntityTooLarge)
			return
		}
		order = strings.ToLower(strings.TrimSpace(string(body)))
		if order != "on" && order != "off" {
			http.Error(w, "expected on or off as the body", http.StatusBadRequest)
			return
		}
		on = new(bool)
		*on = order == "on"
	}
	if _, ok := s.cfg.Maintenance(name); ok {
		if err := s.cfg.SetMaintenance(name, on); err != nil {
			http.Error(w, err.Error(), http.StatusConflict)
			return
		}
		user, _, _ := r.BasicAuth()
		slog.New(s.cfg.Logs).Warn("maintenance of a server was ordered over HTTP", "server", name, "order", order, "from", r.RemoteAddr, "user", logs.Clip(user))
	}
	s.showMaintenance(w, r)
}
