// Package resolve keeps the addresses of host names up to date in the background.
//
// Nobody waits for a look-up. A [Name] has a goroutine of its own that looks the
// name up at once, then at an interval, and when it is asked to ([Name.Again]);
// after a failure it tries again after 1, 2, 4 … seconds, at most the interval.
// IPv4 and IPv6 addresses are asked for side by side and independently: an answer
// to one is used although the other is late or fails.
//
// What a name server fails to say changes nothing: the last addresses stay. They
// are replaced by those of an answer, and an answer that a name has no addresses of
// one family removes that family, unless none would remain.
//
// Names are looked up as the system does it: hosts file, search list and name
// servers are those of package net.
package resolve
