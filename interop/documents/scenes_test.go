package documents

// scene runs the commands of a section in order, in one shell, as root, in a copy of the
// repository, with Debian's FreeRADIUS as it was installed.
type scene struct {
	document string
	heading  string // of the section; "" for all of the document
	server   string // a gateway runs in front of FreeRADIUS, which is its [[server]] of this name
	metrics  string // a line of its [metrics]
	before   string // shell commands before the first
	after    string // and after the last; a line that fails, fails the test
	// Commands that end only at ctrl-C, with what they print before: a pattern of grep.
	endless map[string]string
	// Commands that go on in the background, with what they print when they are ready.
	background map[string]string
	// What commands print, as a part of it; curl and jq succeed with any answer.
	prints map[string]string
}

// evening is the section whose lines set FreeRADIUS up, for the other scenes, too.
const evening = "In front of your FreeRADIUS"

func scenes() []scene {
	const status = "curl -s http://127.0.0.1:9713/api/v1/status | jq '.problems[] | [.severity, .kind, .subject, .text]'"
	const server = "curl -s 'http://127.0.0.1:9713/api/v1/status?server=radius-a' | jq '.servers[] | {port, state, state_since, why}'"
	const maintenance = "http://127.0.0.1:9713/api/v1/servers/radius-a/maintenance"
	const nas = "radsec-gw probe access -user bob -password hello -attr NAS-Identifier=ap-17 -listen 1m -count 1 &"
	const disconnect = `echo 'NAS-Identifier = ap-17, User-Name = bob' | radclient -x 127.0.0.1:3799 disconnect "$(cat freeradius.secret)"`
	return []scene{
		{document: "README.md", heading: "Two commands",
			endless: map[string]string{"go run ./cmd/radsec-gw dev": "Serving until ctrl-C"},
			after:   `grep -q "verified Access-Accept" "$SCENE/out"`},
		{document: "README.md", heading: evening,
			prints: map[string]string{
				"freeradius -CX | tail -1":                                              "Configuration appears to be OK",
				"./radsec-gw check":                                                     "radsec-gw.toml has no mistakes.",
				"./radsec-gw probe access -user bob -password hello":                    "verified Access-Accept",
				"./radsec-gw probe -server freeradius access -user bob -password hello": "Message-Authenticator: verified",
			},
			// Step 3 has rejects signed, too.
			after: `{ ./radsec-gw probe access -user bob -password wrong || true; } 2>&1 | grep "verified, but the answer is Access-Reject"
{ ./radsec-gw probe -server freeradius access -user bob -password wrong || true; } 2>&1 | grep "verified, but the answer is Access-Reject"`},
		{document: "docs/failover.md", heading: "Maintenance", server: "radius-a", metrics: `token = "TOKEN"`,
			prints: map[string]string{
				"curl -u admin:TOKEN -X PUT -d on " + maintenance: `"maintenance":true`,
				"curl -u admin:TOKEN " + maintenance:              `"maintenance":true`,
				"curl -u admin:TOKEN -X DELETE " + maintenance:    `"maintenance":false`,
			}},
		{document: "docs/connections.md", heading: "Pre-shared keys", server: "radius-a",
			after: `printf '[[listener]]\nname = "dtls"\ntransport = "dtls"\naddress = ["127.0.0.1:2084"]\n[[client]]\nname = "ap17"\nnetworks = ["127.0.0.1"]\ntransports = ["dtls"]\npsk_identity = "ap17.campus.example"\npsk_file = "secrets/ap17.psk"\n' >>radsec-gw.toml
kill -HUP $gateway && await grep 'msg=reloaded' gateway.log
radsec-gw probe -dtls -address 127.0.0.1:2084 -psk-identity ap17.campus.example -psk-file secrets/ap17.psk status | grep 'verified Access-Accept'`},
		{document: "docs/reverse-coa.md", heading: "Try it", server: "radius-a", metrics: "address = \"127.0.0.1:9713\"\n[dynamic_authorization]\naddress = [\"127.0.0.1:3799\"]",
			before:     `sed -i 's/^name     = "trial"/&\nreverse_coa = true/' radsec-gw.toml && kill -HUP $gateway && await grep 'msg=reloaded' gateway.log`,
			background: map[string]string{nas: "waiting for CoA-Request and Disconnect-Request"},
			prints:     map[string]string{disconnect: "Received Disconnect-ACK"},
			after:      "wait $background && grep 'verified all of 1 requests' \"$SCENE/out\""},
		{document: "docs/status.md", heading: "Queries", server: "radius-a",
			before: "echo mistake >>radsec-gw.toml && kill -HUP $gateway && await grep 'reload refused' gateway.log",
			prints: map[string]string{status: "reload_refused", server: `"port": "auth"`}},
	}
}

func (s scene) id() string { return s.document + ", " + s.heading }

// covers reports whether the scene has c.
func (s scene) covers(c command) bool {
	if s.document != c.document || s.heading != c.heading && s.heading != "" {
		return false
	}
	for _, e := range notRun() {
		if e.covers(c) {
			return false
		}
	}
	return true
}
