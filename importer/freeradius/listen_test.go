package freeradius

import (
	"strings"
	"testing"

	"radsec-gw/importer"
	"radsec-gw/importer/importertest"
)

// checkNotes fails the test unless each of the texts begins a note, and each note begins
// with one of them.
func checkNotes(t *testing.T, d *importer.Draft, want ...string) {
	t.Helper()
	found := make([]bool, len(want))
notes:
	for _, n := range d.Notes() {
		for i, text := range want {
			if strings.HasPrefix(n.Text, text) && !found[i] {
				found[i] = true
				continue notes
			}
		}
		t.Errorf("did not expect the note %v", n)
	}
	for i, ok := range found {
		if !ok {
			t.Errorf("expected a note that begins with %q", want[i])
		}
	}
}

// furtherListen has a listen section after the first that differs from it, and one that the
// gateway does not take over.
const furtherListen = radsecListen + `
listen {
	ipaddr = 192.0.2.2
	type = auth
	proto = tcp
	proxy_protocol = yes
	new_option = 1
	limit {
		max_connections = 5
		idle_timeout = 7
		lifetime = 9
		other_limit = 8
	}
	tls {
		certificate_file = /none/server.pem
		private_key_file = /none/server.key
		private_key_password = Hidden-0123
		require_client_cert = no
		tls_min_version = "1.3"
		fragment_size = 1000
		verify {
			client = /bin/true
		}
		new_section {
		}
	}
}
listen {
	ipaddr = 192.0.2.3
	proto = tcp
	tls {
		certificate_file = /none/other.pem
	}
	clients = others
}
clients others {
	client stays {
		ipaddr = 192.0.2.9
		proto = tls
	}
}
security {
	status_server = yes
}
client radsec {
	ipaddr = 192.0.2.4
	proto = tls
	limit {
		idle_timeout = 3
	}
}
`

// Of a further listen section, what differs from the first is noted.
func TestFurtherListenSections(t *testing.T) {
	d, err := importText(furtherListen, nil)
	if err != nil {
		t.Fatal(err)
	}
	const once = "[listen] has this once, for all its addresses, as radiusd.conf:6 says"
	checkNotes(t, d,
		"listen: the gateway has one certificate, that of radiusd.conf:2, and does not listen where this one does",
		"tls without ca_file: "+once, "private_key_password: "+once, "require_client_cert = no: "+once, "tls_min_version = 1.3: "+once,
		"verify { … }: "+once, "new_section { … }: "+once, "max_connections = 5: ", "idle_timeout = 7: ", "lifetime = 9: ",
		"other_limit = 8: there is no counterpart", "proxy_protocol = yes: ", "new_option = 1: there is no counterpart", "idle_timeout = 3: ",
		"no listen section has type = auth over UDP",
	)
	written := importertest.Text(t, d)
	if !strings.Contains(written, `address = ["192.0.2.1:2083", "192.0.2.2:2083"]`) || strings.Contains(written, `name = "stays"`) {
		t.Errorf("expected two addresses, and no client of the third section, got\n%s", written)
	}
	importertest.CheckLoads(t, written)
}

// What restricts TLS more than the gateway does is noted, or carried over.
func TestTLSRestrictions(t *testing.T) {
	restricted := strings.Replace(radsecListen, "	ca_file", "	disable_tlsv1_2 = yes\n	reject_unknown_intermediate_ca = yes\n	ca_path = /none/ca.d\n	ca_file", 1)
	d, err := importText("security {\nstatus_server = yes\n}\nlisten {\ntype = auth\n}\n"+restricted, nil)
	if err != nil {
		t.Fatal(err)
	}
	checkNotes(t, d, "reject_unknown_intermediate_ca = yes: ", "ca_path = /none/ca.d: ")
	if written := importertest.Text(t, d); !strings.Contains(written, "min_tls = \"1.3\"\n") {
		t.Errorf("expected min_tls, got\n%s", written)
	}
}
