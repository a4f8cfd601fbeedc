package twin_test

import (
	"fmt"

	"radsec-gw/relay/twin"
)

// difference shows two packets from where they differ.
func difference(want, got []byte) string {
	i := 0
	for i < min(len(want), len(got)) && want[i] == got[i] {
		i++
	}
	return fmt.Sprintf(" at octet %d\n%s%s", i, dump("expected", want), dump("got", got))
}

func dump(what string, packets ...[]byte) (text string) {
	if len(packets) == 0 {
		return what + ": nothing\n"
	}
	for _, p := range packets {
		text += fmt.Sprintf("%s, %d octets:\n", what, len(p))
		list, ok := twin.Parse(p)
		if !ok {
			text += fmt.Sprintf("  % x\n", p)
			continue
		}
		text += fmt.Sprintf("  % x\n", p[:20])
		for _, a := range list {
			if n := len(a.V); n > 80 && len(p) > 1000 {
				text += fmt.Sprintf("  %3d % x … % x, %d octets\n", a.T, a.V[:40], a.V[n-16:], n)
			} else {
				text += fmt.Sprintf("  %3d % x\n", a.T, a.V)
			}
		}
	}
	return text
}

func dumpDatagrams(list []datagram) string {
	var octets [][]byte
	for _, d := range list {
		octets = append(octets, d.octets)
	}
	return dump("server got", octets...)
}
