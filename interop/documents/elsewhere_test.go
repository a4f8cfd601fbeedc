package documents

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// elsewhere is a command that no scene runs.
type elsewhere struct {
	document string
	command  string // "" for all of the document, if test runs whichever there are
	test     string // the file that runs it, in the repository
	words    string // of the test where it does
	because  string // why none does, instead of test
}

// Reasons not to run a command.
const (
	isCI      = "it is CI, or a part of it"
	noCluster = "the tests have no cluster; docker/test/manifests holds what it would get to the schemas"
	noImages  = "the tests have no registry of images"
)

// The tests that run documents as they are written.
const (
	compose  = "docker/test/"
	packages = "packaging/test/run.sh"
	imports  = "interop/import_test.go"
	chart    = "docker/test/manifests/chartreadme_test.go"
	scripts  = "cmd/radsec-gw/testdata/script/"
)

func notRun() []elsewhere {
	const up = "docker compose -f docker/compose.yaml "
	return slices.Concat([]elsewhere{
		{document: "README.md", command: "make test", because: isCI},
		{document: "CONTRIBUTING.md", command: "make test", because: isCI},
		{document: "CONTRIBUTING.md", command: "go run ./cmd/radsec-gw dev", test: "interop/documents/scenes_test.go", words: `heading: "Two commands"`},
		{document: "bench/README.md", command: "go run ./bench compare -rounds 3 -duration 2s", because: "it takes half an hour; TestInlineCommands parses its flags"},
		{document: "docs/from-radsecproxy.md", test: imports, words: `c.follow("from-radsecproxy.md")`},
		{document: "docs/from-freeradius.md", test: imports, words: `c.follow("from-freeradius.md")`},
		{document: "docs/attributes.md", command: "radsec-gw check -config radsec-gw.toml -packet request.hex -client campus", test: scripts + "check_packet.txtar", words: "exec radsec-gw check -packet request.hex -client campus"},
		{document: "docs/attributes.md", command: "radsec-gw check -config radsec-gw.toml -packet accept.hex -request request.hex -client campus", test: scripts + "check_packet.txtar", words: "exec radsec-gw check -packet accept.hex -request request.hex -client campus"},
		{document: "docs/sources.md", command: "radsec-gw check -config radsec-gw.toml -clients", test: scripts + "check_clients.txtar", words: "exec radsec-gw check -clients\n"},
		{document: "docs/sources.md", command: "radsec-gw check -config radsec-gw.toml -clients ap1.pem ap2.pem", test: scripts + "check_clients.txtar", words: "radsec-gw check -clients certificates/*.pem"},

		{document: "docker/README.md", command: up + "up --build --detach", test: compose + "logins.sh", words: "readme 'up --build --detach'"},
		{document: "docker/README.md", command: up + "exec grafana cat /run/secrets/grafana-admin", because: "Debian has no Grafana, and " + noImages},
		{document: "docker/README.md", command: "gw tap -user bob", test: compose + "logins.sh", words: "radsec-gw tap -user bob"},
		{document: "docker/README.md", command: up + "logs -f radsec-gw freeradius", because: "it does not end, and shows what docker logs does"},
		{document: "docker/README.md", command: up + "kill freeradius", test: compose + "outage.sh", words: "readme_line 'kill freeradius'"},
		{document: "docker/README.md", command: "gw spool ls", test: compose + "outage.sh", words: "readme_line '^gw spool ls'"},
		{document: "docker/README.md", command: up + "start freeradius", test: compose + "outage.sh", words: "readme_line 'start freeradius'"},
		{document: "docker/README.md", command: up + "down --volumes", because: "the test removes what it made, by its label, also after a failure"},
		{document: "docker/README.md", command: "make docker-check", because: isCI},
		{document: "docker/README.md", command: "make docker-test", because: isCI},
	}, several("docker/kubernetes/README.md", elsewhere{because: noCluster},
		"kubectl create configmap freeradius --from-file=docker/freeradius",
		"kubectl apply -f docker/kubernetes/config.yaml -f docker/kubernetes/sidecar.yaml",
		"kubectl exec radsec-gw-0 -c radsec-gw -- /radsec-gw spool ls",
		"kubectl exec -it deployment/radius -c radsec-gw -- /radsec-gw tap -user bob@example.org",
	), several("docker/README.md", elsewhere{test: compose + "logins.sh", words: "readme '^gw probe status'"},
		`gw() { docker compose -f docker/compose.yaml exec radsec-gw /radsec-gw "$@"; }`,
		"gw probe status -certs /certs", "gw probe access -certs /certs -user bob -password hello",
	), several("docker/README.md", elsewhere{test: compose + "readme.sh", words: "readme 'run --rm certs'"},
		up+"run --rm certs certs -dir /certs -ca-key /ca/ca.key my-controller",
		"container=$(docker compose -f docker/compose.yaml ps -q radsec-gw)",
		`for file in my-controller.pem my-controller.key ca.pem; do docker cp "$container:/certs/$file" .; done`,
	), several("docker/README.md", elsewhere{test: compose + "image.sh", words: "docker build"}, "make image"),
		several("docker/README.md", elsewhere{test: compose + "image.sh", words: "docker run --rm --read-only --cap-drop ALL --security-opt no-new-privileges"},
			beginning("docker run --read-only")),
		several("docker/README.md", elsewhere{because: noImages},
			beginning("docker buildx build"), "docker pull freeradius/freeradius-server:3.2.8", beginning("export FREERADIUS_IMAGE="), up+"up --detach"),
		several("docker/helm/radsec-gw/README.md", elsewhere{test: chart, words: "helm (install|upgrade)"},
			beginning("helm install"), beginning("helm upgrade")),
		several("docker/helm/radsec-gw/README.md", elsewhere{because: noCluster},
			beginning("kubectl create"), beginning("kubectl exec"), "helm rollback radsec-gw", "helm uninstall radsec-gw"),
		[]elsewhere{
			{document: "packaging/README.md", command: "make packages", test: packages, words: "make -s -C"},
			{document: "packaging/README.md", command: "make packages-test", because: isCI},
		}, several("packaging/README.md", elsewhere{test: packages, words: "the README's commands for an SBOM of another binary"},
			"make build", `go -C packaging/sbom run . "$PWD/radsec-gw" >sbom.cdx.json`,
		), several("packaging/README.md", elsewhere{test: packages, words: "$(readme 3)"}, "apt install ./radsec-gw_1.2.3_amd64.deb"),
		several("packaging/README.md", elsewhere{test: packages, words: "$(readme 4 | sed '/^systemctl/,$d')"},
			"cd /etc/radsec-gw", "radsec-gw certs -dir /root/radsec-gw-certs", "install -d -m 750 -g radsec-gw certs",
			"for f in ca.pem server.pem server.key; do install -m 640 -g radsec-gw /root/radsec-gw-certs/$f certs; done",
			"openssl rand -hex 32 > freeradius.secret", "chgrp radsec-gw freeradius.secret && chmod 640 freeradius.secret", "radsec-gw check -config radsec-gw.toml",
		), several("packaging/README.md", elsewhere{because: "there is no systemd in the test's Debian: " + packages + " does what the unit says"}, "systemctl enable --now radsec-gw"),
		several("packaging/README.md", elsewhere{test: packages, words: "$(readme 4 | sed '1,/^systemctl/d')"}, "radsec-gw probe access -certs /root/radsec-gw-certs -user bob -password hello"),
	)
}

// beginning is for commands that begin with the text, instead of one that is it.
func beginning(text string) string { return text + "…" }

// several returns an entry for each of the commands, otherwise like e.
func several(document string, e elsewhere, commands ...string) (entries []elsewhere) {
	e.document = document
	for _, e.command = range commands {
		entries = append(entries, e)
	}
	return entries
}

// check fails the test where what is said to run a command does not exist.
func (e elsewhere) check(t *testing.T) {
	t.Helper()
	if e.because != "" && e.test == "" {
		return
	}
	text, err := os.ReadFile(filepath.Join(repository, e.test))
	if err != nil {
		t.Errorf("%s: %s: %v", e.document, e.command, err)
	} else if e.words == "" || !strings.Contains(string(text), e.words) {
		t.Errorf("%s: %s: expected %s to have %q, which runs the command", e.document, e.command, e.test, e.words)
	}
}

// covers reports whether e is about c.
func (e elsewhere) covers(c command) bool {
	if start, is := strings.CutSuffix(e.command, "…"); is && e.document == c.document {
		return strings.HasPrefix(c.name(), start)
	}
	return e.document == c.document && (e.command == "" || e.command == c.name())
}

// Each command of each document is run by a scene, or listed with what runs it or why nothing
// does, once; and each entry is about a command that exists.
//
// Fault O10.
func TestEveryCommandIsRun(t *testing.T) {
	used := map[any]bool{}
	for _, c := range allCommands(t) {
		by := 0
		for _, s := range scenes() {
			if s.covers(c) {
				by++
				used[s.id()] = true
			}
		}
		for _, e := range notRun() {
			if e.covers(c) {
				by++
				used[e] = true
			}
		}
		if by != 1 {
			t.Errorf("%s:%d: expected one entry, of scenes_test.go or elsewhere_test.go, for %q, got %d", c.document, c.line, c.name(), by)
		}
	}
	for _, e := range notRun() {
		e.check(t)
		if !used[e] {
			t.Errorf("elsewhere_test.go: no command %q in %s", e.command, e.document)
		}
	}
	for _, s := range scenes() {
		if !used[s.id()] {
			t.Errorf("scenes_test.go: no commands in the section %q of %s", s.heading, s.document)
		}
	}
}
