// Package spool has tests of the accounting spool against a real FreeRADIUS: the gateway is
// killed at random moments while its server comes and goes, and its disk fails. Each
// acknowledged record must then be in FreeRADIUS's detail file.
//
// SPOOL_KILLS says how often the gateway is killed; CI does so 20 times.
package spool
