// Package gateway is the running whole: RadSec in front, UDP behind, HTTP beside.
//
// Load reads a configuration and the files that it names, and checks all of it; Start
// serves by the Plan that it gives, Reload reads the same files anew, Drain stops in
// order and Wait returns when all has ended.
package gateway
