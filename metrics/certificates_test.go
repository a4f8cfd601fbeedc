package metrics

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

func TestCertificatesAreShown(t *testing.T) {
	m, _, _ := filled(t)
	m.SetCertificates([]CertificateFile{{"server", "server.pem", time.Unix(1_800_000_000, 0)}})
	m.SetRefused(true)
	expect(t, m,
		`radsec_gw_certificate_expiry_timestamp_seconds{certificate="server",file="server.pem"} 1.8e+09`,
		`radsec_gw_certificate_refused 1`)
}

// Of more files than are shown those are shown whose certificates end first.
func TestCertificateFilesAreBounded(t *testing.T) {
	m := New(prometheus.NewRegistry())
	var list []CertificateFile
	for i := range maxCertificateFiles + 50 {
		list = append(list, CertificateFile{"ca", fmt.Sprintf("%d.pem", i), time.Unix(int64(1_000_000-i), 0)})
	}
	list = append(list, CertificateFile{"server", "\xff.pem", time.Unix(1, 0)})
	m.SetCertificates(list)
	text := scrape(t, m)
	if n := strings.Count(text, "certificate_expiry_timestamp_seconds{"); n != maxCertificateFiles {
		t.Errorf("%d files are shown, expected %d", n, maxCertificateFiles)
	}
	for file, want := range map[string]bool{`"ca",file="149.pem"`: true, `"ca",file="51.pem"`: true, `"ca",file="50.pem"`: false, `"server",file="?.pem"`: true} {
		if strings.Contains(text, "certificate_expiry_timestamp_seconds{certificate="+file+"}") != want {
			t.Errorf("%s is shown: expected %v", file, want)
		}
	}
}
