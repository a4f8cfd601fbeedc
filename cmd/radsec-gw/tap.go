package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"radsec-gw/audit"
	"radsec-gw/cli"
	"radsec-gw/config"
)

// tapFlags are the flags of radsec-gw tap.
type tapFlags struct {
	socket, file string
	duration     time.Duration
	filter       audit.Filter
}

// tapCommand describes radsec-gw tap.
func tapCommand(p *cli.Program) *cli.Command {
	c := cli.New("tap", "print the packets that pass a running gateway")
	c.Details = `Prints packets decoded, hidden values masked, until it is interrupted or the gateway stops. It must run as root or as the gateway's user. Of several filters all must match. Packets that arrive faster than they can be printed are omitted, and their number is printed.

Four arrows show where a packet is: "->" a client's request, "=>" the copy for a server, "<=" what a server sent, "<-" how the request ended, and the client's answer. A datagram of a server that was ignored is printed with the reason and its attributes. Health checks, and datagrams that no request waits for, are printed without filters only.

With -w the packets are written to a file that Wireshark and tshark open and decode as RADIUS. It has headers of IP and UDP with the real addresses and the usual ports of RADIUS, for RadSec clients too, and for each packet a comment with the client, the fate, and why a reply was ignored. Secrets, passwords and whatever is computed with a secret are zeros in it.`
	c.Exit = []cli.Entry{{Name: "0", Text: "It was interrupted, or what -c or -duration asks for was done."}, {Name: "1", Text: "It could not connect to the gateway or write the file, or the gateway stopped."}, {Name: "2", Text: "Usage error."}}
	c.Examples = []cli.Example{
		{Text: "Everything", Line: "radsec-gw tap"},
		{Text: "The logins of one user", Line: "radsec-gw tap -user bob@example.org"},
		{Text: "A minute for Wireshark", Line: "radsec-gw tap -w trouble.pcapng -duration 1m"},
		{Text: "The same live", Line: "radsec-gw tap -w - | tshark -r - -V"},
	}
	var o tapFlags
	c.Flags.StringVar(&o.socket, "socket", config.DefaultTapSocket, "the gateway's [tap].socket, a `FILE`")
	c.Flags.StringVar(&o.filter.Client, "client", "", "only this client, by its `NAME` in the configuration")
	c.Flags.StringVar(&o.filter.Realm, "realm", "", "only requests that are routed by this `REALM`")
	c.Flags.StringVar(&o.filter.User, "user", "", "only this `USER`, by the whole User-Name")
	c.Flags.StringVar(&o.file, "w", "", "write pcapng to this new `FILE`, readable by its owner only; - is standard output")
	c.Flags.IntVar(&o.filter.Count, "c", 0, "end after `COUNT` packets")
	c.Flags.DurationVar(&o.duration, "duration", 0, "end after this `TIME`, such as 30s")
	c.Run = func(_ []string, stdout, stderr io.Writer) int {
		if o.filter.Count < 0 || o.duration < 0 {
			return p.Misused(c, stderr, errors.New("expected -c and -duration to be 0 or more"))
		}
		return runTap(&o, stdout, stderr)
	}
	return c
}

// runTap prints or writes the packets that pass a running gateway, until it is interrupted,
// the gateway stops or there are enough.
func runTap(o *tapFlags, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if o.duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.duration)
		defer cancel()
	}
	n, err := tapInto(ctx, stdout, o)
	if o.file != "" && o.file != "-" && (err == nil || n > 0) {
		fmt.Fprintf(stderr, "%d packets in %s\n", n, o.file)
	}
	if err != nil {
		fmt.Fprintf(stderr, "radsec-gw tap: %v\n", err)
		return 1
	}
	return 0
}

// tapInto writes what the gateway shows until ctx is done or there are enough packets, and
// then returns nil. It is an error if the gateway ends the tap first. n is the number of
// packets.
func tapInto(ctx context.Context, stdout io.Writer, o *tapFlags) (n int, err error) {
	o.filter.Pcapng = o.file != ""
	c, err := net.Dial("unix", o.socket)
	if err != nil {
		return 0, fmt.Errorf("cannot connect to the gateway: %w; is it running, is this its [tap].socket, and are you root or its user?", err)
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	if err := json.NewEncoder(c).Encode(o.filter); err != nil {
		if ctx.Err() != nil { // -duration is over, or it was interrupted
			return 0, nil
		}
		return 0, err
	}
	from := bufio.NewReader(c)
	if !o.filter.Pcapng {
		n, err = copyText(stdout, from)
	} else {
		n, err = copyPcapng(stdout, from, o.file)
	}
	if errors.Is(err, errTapEnded) && (ctx.Err() != nil || o.filter.Count > 0 && n >= o.filter.Count) {
		return n, nil
	}
	return n, err
}

// newFile makes a file that only its owner can read. It does not write into one that is
// there, nor through a symbolic link.
func newFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%s exists, and is not overwritten: remove it, or give another name", path)
	}
	return f, err
}

var errTapEnded = errors.New("the gateway has ended the tap")

// copyText copies lines until the gateway ends the tap. Each packet begins with a line that
// begins with its time.
func copyText(out io.Writer, from *bufio.Reader) (packets int, err error) {
	for {
		line, err := from.ReadBytes('\n')
		if len(line) > 0 && line[0] >= '0' && line[0] <= '9' {
			packets++
		}
		if _, err := out.Write(line); err != nil {
			return packets, err
		}
		if err != nil {
			return packets, errTapEnded
		}
	}
}

// longestBlock bounds the blocks that are accepted from a gateway: a packet has 4096 octets,
// and a comment.
const longestBlock = 1 << 17

// copyPcapng copies blocks of pcapng to a file, or to stdout for "-", until the gateway ends
// the tap. Only whole blocks are written.
func copyPcapng(stdout io.Writer, from *bufio.Reader, path string) (packets int, err error) {
	head, err := from.Peek(4)
	if err != nil {
		return 0, errTapEnded
	}
	if !audit.IsPcapng(head) {
		text, _ := from.ReadString('\n')
		return 0, fmt.Errorf("expected pcapng from the gateway, got %q", text)
	}
	if path == "-" {
		return copyBlocks(stdout, from)
	}
	f, err := newFile(path)
	if err != nil {
		return 0, err
	}
	packets, err = copyBlocks(f, from)
	if closed := f.Close(); closed != nil {
		err = closed
	}
	return packets, err
}

func copyBlocks(out io.Writer, from *bufio.Reader) (packets int, err error) {
	for {
		head, err := from.Peek(8)
		if err != nil {
			return packets, errTapEnded
		}
		length, packet := audit.BlockOf(head)
		if length < 12 || length > longestBlock {
			return packets, fmt.Errorf("expected a block of pcapng of 12 to %d bytes, got one of %d", longestBlock, length)
		}
		block := make([]byte, length)
		if _, err := io.ReadFull(from, block); err != nil {
			return packets, errTapEnded
		}
		if _, err := out.Write(block); err != nil {
			return packets, err
		}
		if packet {
			packets++
		}
	}
}
