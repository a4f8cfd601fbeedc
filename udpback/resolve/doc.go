// Package resolve keeps the addresses of host names up to date in the background.
//
// Callers do not wait for look-ups. A [Name] has a goroutine of its own that looks the
// name up at once, then at an interval, and when [Name.Refresh] is called; after a
// failure it tries again after 1, 2, 4 … seconds, at most the interval. IPv4 and IPv6
// addresses are asked for side by side and independently: an answer to one is used
// although the other is late or fails.
//
// A look-up that fails changes nothing: the last addresses stay. They are replaced by
// those of an answer. An answer that a name has no addresses of one family removes those
// of that family, unless none would remain.
//
// Names are looked up by package net, with the hosts file, search list and name servers
// of the system.
package resolve
