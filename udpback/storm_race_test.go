//go:build race

package udpback

// stormSchedules is lower than otherwise: the race detector makes each ten times slower.
const stormSchedules = 1_000
