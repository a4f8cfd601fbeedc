//go:build linux

package alerts

import (
	"os"
	"regexp"
	"slices"
	"testing"

	"radsec-gw/interop/testbed"
)

const rulesFile = "../../docker/prometheus/rules.yml"

func TestMain(m *testing.M) {
	testbed.Main(func(string) (int, error) {
		if err := testbed.NeedPrograms("prometheus", "prlimit"); err != nil {
			return 1, err
		}
		return m.Run(), nil
	})
}

// made says how the test makes each alert, and by what it ends.
var made = map[string]string{
	"RadSecNoGateway":                 "Prometheus begins without targets",
	"RadSecGatewayDown":               "a target has no gateway, which is started later",
	"RadSecServerDown":                "a server answers nothing, and later does",
	"RadSecServerFailing":             "a server answers Status-Server only, and later everything",
	"RadSecServerNameUnknown":         "a server's name has no address; a reload removes it",
	"RadSecAnswersAfterMove":          "a server answers after its route's patience; the traffic ends",
	"RadSecNoServerLeft":              "the only server of a gateway answers nothing, and later does",
	"RadSecRouteNotServed":            "likewise",
	"RadSecRequestsLost":              "requests to servers that answer nothing, or without a signature",
	"RadSecClientLimited":             "a client sends more than packets_per_second; the traffic ends",
	"RadSecRefusalsRising":            "requests for a realm without a route; the traffic ends",
	"RadSecRefusalsHigh":              "likewise",
	"RadSecLoop":                      "requests with the gateway's own Proxy-State; the traffic ends",
	"RadSecReverseCoAFailing":         "CoA for a NAS that is not connected; the traffic ends",
	"RadSecHandshakesFailing":         "connections without a certificate; they end",
	"RadSecQueueNearBound":            "a slow server with one socket has most of its Identifiers in use; the traffic ends",
	"RadSecRetransmissionsHigh":       "a server answers after its requests were sent again; the traffic ends",
	"RadSecBadReplies":                "a server does not sign, and later does",
	"RadSecOpenFilesNearLimit":        "idle connections to a gateway with few descriptors; they are closed",
	"RadSecQueueShedding":             "nobody reads the log of a gateway, and later someone does",
	"RadSecLogLinesLost":              "likewise",
	"RadSecCertificateExpiring":       "the gateway's certificate is valid for a day, and later another for a year",
	"RadSecCertificateExpired":        "likewise",
	"RadSecCertificateRefused":        "a gateway starts with a certificate that has expired; a reload has a good one",
	"RadSecClientCertificateExpiring": "a client has a certificate for ten days, and disconnects",
	"RadSecRevocationListOld":         "a revocation list is out of date; a reload has a newer one",
	"RadSecIssuerRefused":             "likewise, with crl_stale",
	"RadSecRevocationListNotFetched":  "nothing listens at the URL of a list; a reload removes it",
	"RadSecReloadRefused":             "a reload has a mistake, and a later one has not",
	"RadSecNewCertificateRefused":     "the certificate's file gets one that has expired, and later a good one",
}

// notMade says why the test does not make an alert.
var notMade = map[string]string{
	"RadSecSpoolDown":     onlyFromSeries,
	"RadSecSpoolRefusing": onlyFromSeries,
	"RadSecSpoolFilling":  onlyFromSeries,
	"RadSecSpoolNotSent":  "a record must be an hour old; " + onlyFromSeries,
	"RadSecSpoolNoLeader": "docker/prometheus/rules_test.yml makes it from series; that one of several gateways leads, interop/cluster tests",
	"RadSecSpoolSetAside": "a record must be sent ten times, with pauses; " + onlyFromSeries,
	"RadSecSpoolDropped":  onlyFromSeries,
	"RadSecClusterDown":   "docker/prometheus/rules_test.yml makes it from series; that a gateway has these without NATS, packages cluster and gateway test",
}

// onlyFromSeries is why an alert of the spool is not made here.
const onlyFromSeries = "docker/prometheus/rules_test.yml makes it from series; that a gateway has these then, interop/spool and package spool test"

// Each alert is in one of the lists.
func TestEachAlertIsListed(t *testing.T) {
	text, err := os.ReadFile(rulesFile)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range regexp.MustCompile(`(?m)^ +- alert: (\S+)$`).FindAllStringSubmatch(string(text), -1) {
		names = append(names, m[1])
		if (made[m[1]] == "") == (notMade[m[1]] == "") {
			t.Errorf("%s: expected how it is made, or why it is not", m[1])
		}
	}
	for _, list := range []map[string]string{made, notMade} {
		for name := range list {
			if !slices.Contains(names, name) {
				t.Errorf("%s is not an alert of %s", name, rulesFile)
			}
		}
	}
}

var (
	spans   = regexp.MustCompile(`(\[|offset )(5m|15m|1h|1d)\b`)
	holding = regexp.MustCompile(`(?m)^( +for:) .*$`)
)

// shortened returns the rules with shorter times.
func shortened(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(rulesFile)
	if err != nil {
		t.Fatal(err)
	}
	short := map[string]string{"5m": "6s", "15m": "8s", "1h": "60s", "1d": "6s"}
	rules := spans.ReplaceAllStringFunc(string(text), func(span string) string {
		m := spans.FindStringSubmatch(span)
		return m[1] + short[m[2]]
	})
	return holding.ReplaceAllString(rules, "$1 1s")
}
