// Package scrape reads what the gateway's /metrics shows, for measurements and tests.
package scrape

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// Metrics are series and their values. A series is named as on the page:
// name{label="value",…}.
type Metrics map[string]float64

// Parse reads the text format of Prometheus.
func Parse(text string) Metrics {
	m := Metrics{}
	for line := range strings.Lines(text) {
		at := strings.LastIndexByte(line, ' ')
		if line[0] == '#' || at < 0 {
			continue
		}
		if value, err := strconv.ParseFloat(strings.TrimSpace(line[at:]), 64); err == nil {
			m[line[:at]] = value
		}
	}
	return m
}

// Get reads the page at a URL.
func Get(ctx context.Context, url string) (Metrics, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 16<<20))
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: status %d: %.100s", url, response.StatusCode, text)
	}
	return Parse(string(text)), err
}

// Sum returns the sum of the series of a name that have all of the labels, each given as
// label="value".
func (m Metrics) Sum(name string, labels ...string) (total float64) {
series:
	for series, value := range m {
		got, rest, _ := strings.Cut(series, "{")
		if got != name {
			continue
		}
		for _, label := range labels {
			if !strings.Contains(rest, label) {
				continue series
			}
		}
		total += value
	}
	return total
}
