// Powercut is a file system that loses what was not made durable. See README.md.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "powercut:", err)
		os.Exit(1)
	}
}

func run() error {
	backing := flag.String("backing", "", "directory that is read at the start and written at the end")
	mount := flag.String("mount", "", "where to mount")
	control := flag.String("control", "", "socket for commands")
	mode := flag.String("mode", "strict", "strict or ext4")
	noSync := flag.Bool("nosync", false, "fsync does nothing and says OK: the control of a test")
	faults := flag.String("faults", "", "KIND[:FIRST[:COUNT[:PATTERN]]], joined with commas")
	cutAt := flag.String("cut", "", "cut by itself: at=CHANGE seed=N keep=none|random torn=BYTES")
	trace := flag.Bool("trace", false, "print every change with its number")
	flag.Parse()
	if len(flag.Args()) > 0 { // powercut -control SOCKET COMMAND...
		return send(*control, strings.Join(flag.Args(), " "))
	}
	v, err := newVolume(*backing)
	if err != nil {
		return err
	}
	v.ext4, v.noSync, v.trace = *mode == "ext4", *noSync, *trace
	for _, s := range strings.FieldsFunc(*faults, func(r rune) bool { return r == ',' }) {
		f, err := parseFault(s)
		if err != nil {
			return err
		}
		v.faults = append(v.faults, f)
	}
	if *cutAt != "" {
		if _, err := v.command("arm " + *cutAt); err != nil {
			return err
		}
	}
	// Before anybody can know that the volume is there.
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM)
	server, err := fuse.NewServer(newDoor(v), *mount, &fuse.MountOptions{
		FsName: "powercut", Name: "powercut", DirectMountStrict: true,
		DisableXAttrs: true, DisableReadDirPlus: true, ExplicitDataCacheControl: true,
	})
	if err != nil {
		return err
	}
	go server.Serve()
	if err := server.WaitMount(); err != nil {
		return err
	}
	os.Remove(*control)
	l, err := net.Listen("unix", *control)
	if err != nil {
		return err
	}
	go serve(l, v)
	<-stop
	select {
	case <-v.isCut:
	default:
		v.mu.Lock()
		defer v.mu.Unlock()
		err = v.store(func(n *node) map[string]*node { return n.names }, func(n *node) []byte { return n.data })
	}
	syscall.Unmount(*mount, syscall.MNT_DETACH)
	os.Remove(*control)
	return err // with the process every request that waits ends
}

func send(socket, command string) error {
	c, err := net.Dial("unix", socket)
	if err != nil {
		return err
	}
	defer c.Close()

	fmt.Fprintln(c, command)
	answer, err := bufio.NewReader(c).ReadString('\n')
	fmt.Print(answer)
	if strings.HasPrefix(answer, "error") {
		os.Exit(1)
	}
	return err
}

func serve(l net.Listener, v *volume) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}

		go func() {
			defer c.Close()
			line, _ := bufio.NewReader(c).ReadString('\n')
			answer, err := v.command(strings.TrimSpace(line))
			if err != nil {
				answer = "error: " + err.Error()
			}
			fmt.Fprintln(c, answer)
		}()
	}
}

// command is one line on the socket.
func (v *volume) command(line string) (string, error) {
	verb, rest, _ := strings.Cut(line, " ")
	var s cutSpec
	var at uint64
	for _, f := range strings.Fields(rest) {
		key, value, _ := strings.Cut(f, "=")
		var err error
		switch key {
		case "seed":
			_, err = fmt.Sscan(value, &s.seed)
		case "torn":
			_, err = fmt.Sscan(value, &s.torn)
		case "at":
			_, err = fmt.Sscan(value, &at)
		case "keep":
			s.random = value == "random"
		default:
			if verb != "fault" {
				err = fmt.Errorf("what is %s?", key)
			}
		}
		if err != nil {
			return "", err
		}
	}

	switch verb {
	case "cut": // now, or where arm was quicker, then
		select {
		case <-v.isCut:
		default:
			done := make(chan struct{})
			go func() { v.cut(s); close(done) }()
			select {
			case <-done:
			case <-v.isCut:
			}
		}
		return "cut", nil
	case "arm": // cut by itself, so many changes from now
		v.mu.Lock()
		defer v.mu.Unlock()
		v.cutAt, v.cutSpec = v.seq+at, s
		return "armed", nil
	case "wait":
		<-v.isCut
		return "cut", nil
	case "fault":
		f, err := parseFault(rest)
		if err != nil {
			return "", err
		}
		v.mu.Lock()
		defer v.mu.Unlock()
		v.faults = append(v.faults, f)
		return "ok", nil
	case "sync": // everything is durable
		v.mu.Lock()
		defer v.mu.Unlock()
		for _, op := range v.journal {
			op.apply(op.dir.diskNames)
		}
		v.journal = nil
		for _, n := range v.nodes {
			n.disk, n.pending = append([]byte(nil), n.data...), nil
		}
		return "ok", nil
	case "stats": // also after a cut
		b, err := json.Marshal(struct {
			stats
			Changes uint64
			Journal int
		}{v.stats, v.seq, len(v.journal)})
		return string(b), err
	}
	return "", fmt.Errorf("what is %s?", verb)
}
