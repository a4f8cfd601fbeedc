//go:build linux

package world

import (
	"strconv"
	"strings"
)

// metrics are series and their values, as "name{label="value"}".
type metrics map[string]float64

func parseMetrics(text string) metrics {
	m := metrics{}
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

// sum adds up the series of a name that have all of the labels, each as `label="value"`.
func (m metrics) sum(name string, labels ...string) (total float64) {
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
