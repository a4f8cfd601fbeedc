//go:build !race && !lockorder

package udpback

// stormSchedules is how many random schedules of faults are tried.
const stormSchedules = 10_000
