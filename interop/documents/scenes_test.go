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

// spooling are shell commands that have the gateway of a scene store accounting where the packages'
// unit has it, in a folder that the scene alone sees.
const spooling = `mount -t tmpfs none /var/lib && mkdir -m 700 /var/lib/radsec-gw
sed -i 's/^servers = .*/&\nspool = true/' radsec-gw.toml && kill -HUP $gateway && await test -S /var/lib/radsec-gw/spool/control.sock
`

// outage are shell commands after which two records of a session are in the spool.
const outage = spooling + `systemctl stop freeradius
radsec-gw probe accounting -quiet -user bob -session-id 5f3a && radsec-gw probe accounting -quiet -user bob -session-id 5f3a -status-type stop
`

// evening is the section whose lines set FreeRADIUS up, for the other scenes, too.
const evening = "In front of your FreeRADIUS"

func scenes() []scene {
	const status = "curl -s http://127.0.0.1:9713/api/v1/status | jq '.problems[] | [.severity, .kind, .subject, .text]'"
	const server = "curl -s 'http://127.0.0.1:9713/api/v1/status?server=radius-a' | jq '.servers[] | {port, state, state_since, why}'"
	const maintenance = "http://127.0.0.1:9713/api/v1/servers/radius-a/maintenance"
	const nas = "radsec-gw probe access -user bob -password hello -attr NAS-Identifier=ap-17 -listen 1m -count 1 &"
	const disconnect = `echo 'NAS-Identifier = ap-17, User-Name = bob' | radclient -x 127.0.0.1:3799 disconnect "$(cat freeradius.secret)"`
	return append([]scene{
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
	}, spoolScenes()...)
}

// spoolScenes are those of docs/accounting.md.
func spoolScenes() []scene {
	const document = "docs/accounting.md"
	const metrics = "curl -s http://127.0.0.1:9713/metrics | grep "
	const ls = "radsec-gw spool ls"
	const radclient = `sed '/^[A-Z]/d; /^\tTimestamp = /d' accounting.detail | radclient -x -f - 127.0.0.1:1813 acct "$(cat freeradius.secret)"`
	const received = `await grep -q 'Acct-Delay-Time = ' /var/log/freeradius/radacct/127.0.0.1/detail-*
grep -c 'Acct-Session-Id = "5f3a"' /var/log/freeradius/radacct/127.0.0.1/detail-* | grep -x 2`
	return []scene{
		{document: document, heading: "Try it", server: "radius-a", before: spooling,
			prints: map[string]string{ls: "\"5f3a\"", "radsec-gw spool retry": "records are sent as fast as [spool] allows", metrics + "^radsec_gw_spool_": "radsec_gw_spool_stored_total 2"},
			after:  "await eval 'radsec-gw spool ls | tail -n +2 | diff - /dev/null'\n" + received},
		{document: document, heading: "radsec-gw spool", server: "radius-a", before: outage,
			prints: map[string]string{ls: "Stop", "radsec-gw spool drop 2": "dropped 1 records, 1 are left", "radsec-gw spool import stop.detail": "stored 1 records"},
			after:  "radsec-gw spool ls | grep -c 5f3a | grep -x 2"},
		{document: document, heading: "FreeRADIUS reads an export", server: "radius-a",
			before: outage + "radsec-gw spool export -o accounting.detail && kill $gateway",
			prints: map[string]string{"freeradius -CX | tail -1": "Configuration appears to be OK", radclient: "Received Accounting-Response"},
			// What radclient sends has no Acct-Delay-Time.
			after: "await test ! -e /var/log/freeradius/spool.detail -a ! -e /var/log/freeradius/detail.work\nawait eval \"grep -c 'Acct-Delay-Time = ' /var/log/freeradius/radacct/127.0.0.1/detail-* | grep -x 2\""},
		{document: document, heading: "How much space", server: "radius-a", before: spooling + "systemctl stop freeradius",
			prints: map[string]string{"radsec-gw spool import -client trial many.detail": "stored 20000 records", "radsec-gw spool drop -all": "are left",
				metrics + "-E '^(radsec_gw_spool_(records|octets|commit_seconds_(sum|count))|go_memstats_heap_inuse_bytes) '": "radsec_gw_spool_records 20000"}},
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
