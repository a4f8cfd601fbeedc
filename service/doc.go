// Package service runs a gateway as a service of the operating system: it obeys signals,
// reports the gateway's state to systemd and uses the sockets that systemd passes.
//
//	supervise.go  Supervise: signals, reloads, the watchdog, the end
//	systemd.go    Listeners, and the notifications
//
// [Supervise] is the loop of a running gateway:
//
//	SIGHUP          reloads; one reload at a time, and one more if asked for meanwhile
//	SIGINT, SIGTERM drains; a second one ends the gateway immediately
//
// Without systemd, or another service manager that sets NOTIFY_SOCKET, it only obeys
// signals. With one (systemd.service(5), Type=notify) it sends, by sd_notify(3):
//
//	READY=1      when it begins, and after each reload
//	RELOADING=1  before a reload, with MONOTONIC_USEC
//	STOPPING=1   before it drains
//	WATCHDOG=1   twice within WatchdogSec=, while the gateway responds to
//	             [gateway.Gateway.Ping]
//
// Notifications are queued and sent in order by a goroutine of their own: a service manager
// that does not read delays nothing but the end of the process, by a second at most.
package service
