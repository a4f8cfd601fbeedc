//go:build race || lockorder

package udpback

// stormSchedules is lower than otherwise: the race detector, and the record of locks, make each ten times slower.
const stormSchedules = 1_000
