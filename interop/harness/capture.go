package harness

import (
	"bufio"
	bytesof "encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// Capture is what a packet capture of loopback shows of TCP.
type Capture struct {
	cmd  *exec.Cmd
	path string
}

// StartCapture begins to record loopback with dumpcap; nil with a note in the log
// where there is no dumpcap or no right to capture.
func StartCapture(t testing.TB, filter string) *Capture {
	t.Helper()
	tool, err := exec.LookPath("dumpcap")
	if err != nil {
		t.Log("left out: no dumpcap (package wireshark-common)")
		return nil
	}

	c := &Capture{path: filepath.Join(t.TempDir(), "lo.pcap")}
	c.cmd = exec.Command(tool, "-i", "lo", "-P", "-f", filter, "-B", "64", "-w", c.path)
	stderr, err := c.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}

	if err := c.cmd.Start(); err != nil {
		t.Logf("left out: dumpcap: %v", err)
		return nil
	}

	lines := bufio.NewScanner(stderr)
	var said []string
	for lines.Scan() {
		said = append(said, lines.Text())
		if strings.HasPrefix(lines.Text(), "File:") {
			return c
		}
	}

	c.cmd.Wait()
	t.Logf("left out: dumpcap may not capture here: %s", strings.Join(said, "; "))
	return nil
}

// Stop ends the capture when no packet came for a while, and gives the segments in
// the order in which they were seen.
func (c *Capture) Stop(t testing.TB) []Segment {
	t.Helper()
	for last, end := int64(-1), time.Now().Add(10*time.Second); time.Now().Before(end); time.Sleep(700 * time.Millisecond) {
		info, err := os.Stat(c.path)
		if err == nil && info.Size() == last {
			break
		}
		if err == nil {
			last = info.Size()
		}
	}

	c.cmd.Process.Signal(os.Interrupt)
	c.cmd.Wait()
	b, err := os.ReadFile(c.path)
	if err != nil {
		t.Fatal(err)
	}

	segments, err := decodePcap(b)
	if err != nil {
		t.Fatal(err)
	}
	return segments
}

// Segment is one TCP segment.
type Segment struct {
	From, To      netip.AddrPort
	Seq           uint32
	SYN, FIN, RST bool
	ACK           bool
	Data          []byte
}

// decodePcap reads the classic form with Ethernet frames of IPv4.
func decodePcap(b []byte) ([]Segment, error) {
	if len(b) < 24 || bytesof.LittleEndian.Uint32(b) != 0xA1B2C3D4 || bytesof.LittleEndian.Uint32(b[20:]) != 1 {
		return nil, fmt.Errorf("not a capture of Ethernet in the classic form")
	}

	var out []Segment
	for b = b[24:]; len(b) >= 16; {
		n, whole := bytesof.LittleEndian.Uint32(b[8:]), bytesof.LittleEndian.Uint32(b[12:])
		if n != whole || int(n) > len(b)-16 {
			return nil, fmt.Errorf("a packet was cut")
		}
		if s, ok := decodeTCP(b[16 : 16+n]); ok {
			out = append(out, s)
		}
		b = b[16+n:]
	}
	return out, nil
}

// decodeTCP reads an Ethernet frame with a TCP segment over IPv4. It reports false for
// any other frame, and for one that is cut short.
func decodeTCP(frame []byte) (Segment, bool) {
	if len(frame) < 14+20+20 || bytesof.BigEndian.Uint16(frame[12:]) != 0x0800 {
		return Segment{}, false
	}

	ip := frame[14:]
	head, total := int(ip[0]&15)*4, int(bytesof.BigEndian.Uint16(ip[2:]))
	if total == 0 {
		total = len(ip) // large segments of loopback
	}
	if ip[9] != 6 || total > len(ip) || head+20 > total {
		return Segment{}, false
	}

	tcp := ip[head:total]
	from, _ := netip.AddrFromSlice(ip[12:16])
	to, _ := netip.AddrFromSlice(ip[16:20])
	data := int(tcp[12]>>4) * 4
	if data > len(tcp) {
		return Segment{}, false
	}

	flags := tcp[13]
	return Segment{
		From: netip.AddrPortFrom(from, bytesof.BigEndian.Uint16(tcp)),
		To:   netip.AddrPortFrom(to, bytesof.BigEndian.Uint16(tcp[2:])),
		Seq:  bytesof.BigEndian.Uint32(tcp[4:]),
		FIN:  flags&1 != 0,
		SYN:  flags&2 != 0,
		RST:  flags&4 != 0,
		ACK:  flags&16 != 0,
		Data: tcp[data:],
	}, true
}

// MostAtATime is, for each address that was connected to, how many connections
// were open at most, from the SYN of the client to its FIN or the RST of either
// side, and how many there were.
func MostAtATime(segments []Segment) map[netip.Addr][2]int {
	type connection struct{ client, server netip.AddrPort }
	open, out := map[connection]bool{}, map[netip.Addr][2]int{}
	for _, s := range segments {
		there, back := connection{s.From, s.To}, connection{s.To, s.From}
		switch {
		case s.SYN && !s.ACK:
			if open[there] {
				continue // sent again
			}
			open[there] = true
			now := 0
			for c := range open {
				if c.server.Addr() == s.To.Addr() {
					now++
				}
			}
			out[s.To.Addr()] = [2]int{max(out[s.To.Addr()][0], now), out[s.To.Addr()][1] + 1}
		case s.RST:
			delete(open, there)
			delete(open, back)
		case s.FIN:
			delete(open, there) // of the client; that of the server is not in the map
		}
	}
	return out
}

// Streams puts what each side sent into order.
func Streams(segments []Segment) map[[2]netip.AddrPort][]byte {
	parts := map[[2]netip.AddrPort][]Segment{}
	for _, s := range segments {
		key := [2]netip.AddrPort{s.From, s.To}
		if s.SYN {
			s.Seq++ // the data begin behind it
		}
		if len(s.Data) > 0 {
			parts[key] = append(parts[key], s)
		}
	}

	out := map[[2]netip.AddrPort][]byte{}
	for key, list := range parts {
		slices.SortStableFunc(list, func(a, b Segment) int { return int(int32(a.Seq - b.Seq)) })
		next := list[0].Seq
		for _, s := range list {
			if skip := int32(next - s.Seq); skip > 0 {
				if int(skip) >= len(s.Data) {
					continue
				}
				s.Data, s.Seq = s.Data[skip:], next
			}
			out[key] = append(out[key], s.Data...)
			next = s.Seq + uint32(len(s.Data))
		}
	}
	return out
}
