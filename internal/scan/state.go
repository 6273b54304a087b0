package scan

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// stateLine is one line of the state file: the head, a position below which
// everything is done, or a host.
type stateLine struct {
	Version int         `json:"version,omitempty"`
	Digest  string      `json:"digest,omitempty"` // of targets, ports and options
	Seed    uint64      `json:"seed,omitempty"`
	Done    uint64      `json:"done,omitempty"`
	Alive   uint64      `json:"alive,omitempty"`
	Host    *HostResult `json:"host,omitempty"`
	Ended   bool        `json:"ended,omitempty"`
}

// state is the file that a broken-off scan goes on from. It holds facts and
// issues, no credential and nothing of patients.
type state struct {
	file *os.File
	enc  *json.Encoder
}

// digest is the same for the same question.
func (o *Options) digest() string {
	h := sha256.New()
	for _, t := range o.Targets {
		fmt.Fprintln(h, t.Prefix, t.Name, t.Ports)
	}

	words := make([]string, 0, len(o.OptIn))
	for w, on := range o.OptIn {
		if on {
			words = append(words, w)
		}
	}

	slices.Sort(words)
	fmt.Fprintln(h, o.Ports, o.HL7Ports, o.NoHost, o.AllPortsOnSilent, words, o.CalledAETitle, o.AsDevice)
	return hex.EncodeToString(h.Sum(nil))
}

// maxStateLine bounds one line of the file.
const maxStateLine = 4 << 20

// openState opens the state file of a scan and reads how far it came. head.Seed
// is the order to go on with.
func openState(path string, o *Options) (s *state, head stateLine, hosts []HostResult, err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, head, nil, fmt.Errorf("scan: state file: %w", err)
	}

	head, hosts, err = readState(f, o.digest())
	if err != nil {
		err = fmt.Errorf("scan: state file %s: %w; name another one, or remove it to begin anew", path, err)
		return nil, head, nil, errors.Join(err, f.Close())
	}

	s = &state{file: f, enc: json.NewEncoder(f)}
	if head.Version == 0 {
		head = stateLine{Version: 1, Digest: o.digest(), Seed: o.Seed}
		err = errors.Join(f.Truncate(0), seekStart(f), s.enc.Encode(head))
	} else if _, err = f.Seek(0, io.SeekEnd); err == nil {
		_, err = f.WriteString("\n") // ends a line that was cut short
	}

	return s, head, hosts, err
}

func seekStart(f *os.File) error {
	_, err := f.Seek(0, io.SeekStart)
	return err
}

// readState reads the lines; one that was cut short is left out.
func readState(r io.Reader, digest string) (head stateLine, hosts []HostResult, err error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxStateLine)

	for lines.Scan() {
		var line stateLine
		if len(lines.Bytes()) == 0 || json.Unmarshal(lines.Bytes(), &line) != nil {
			continue
		}
		switch {
		case line.Version != 0 && line.Digest != digest:
			return head, nil, errors.New("it belongs to a scan with other targets or options")
		case line.Ended:
			head = stateLine{} // the scan was done: begin anew
			hosts = nil
		case line.Version != 0:
			head = line
		case line.Host != nil && line.Host.Facts != nil:
			hosts = append(hosts, *line.Host)
		default:
			head.Done = max(head.Done, line.Done)
			head.Alive = max(head.Alive, line.Alive)
		}
	}

	return head, hosts, lines.Err()
}

func (s *state) host(h *HostResult) error { return s.write(stateLine{Host: h}) }

func (s *state) progress(done, alive uint64) error {
	return s.write(stateLine{Done: done, Alive: alive})
}

func (s *state) write(line stateLine) error {
	if s == nil {
		return nil
	}
	if err := s.enc.Encode(line); err != nil {
		return fmt.Errorf("scan: state file: %w", err)
	}
	return nil
}

func (s *state) close(ended bool) error {
	if s == nil {
		return nil
	}
	var err error
	if ended {
		err = s.write(stateLine{Ended: true})
	}
	return errors.Join(err, s.file.Close())
}
