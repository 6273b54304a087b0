package sender

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"collimator/internal/durable"
	"collimator/internal/fault"
)

// Journal remembers across runs what a peer has acknowledged: one JSON object a
// line. A nil Journal remembers nothing. Not safe for concurrent use.
type Journal struct {
	f    *os.File
	peer string
	seen map[journalEntry]bool
}

type journalEntry struct {
	Peer     string `json:"peer"`
	File     string `json:"file"`
	Size     int64  `json:"size"`
	Modified int64  `json:"modified"`
}

// OpenJournal opens the journal of a file, or makes it; no path gives a nil
// Journal. What one peer has acknowledged does not count for another. A file that
// cannot be one is fault.Misused.
func OpenJournal(path, peer string) (*Journal, error) {
	if path == "" {
		return nil, nil
	}

	f, err := durable.Append(path)
	if err != nil {
		return nil, fault.Ended(fault.Misused, err)
	}

	j := &Journal{f: f, peer: peer, seen: map[journalEntry]bool{}}
	if err := j.read(path); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return j, nil
}

// journalStart is how each line begins.
const journalStart = `{"peer":`

// read takes in what stands in the file already. A line that a crash cut short
// is left out, so that its file is sent again, and ended, so that the next one
// does not stick to it.
func (j *Journal) read(path string) error {
	r := bufio.NewReader(j.f)
	start, err := r.Peek(len(journalStart))
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("journal: %w", err)
	}

	if !strings.HasPrefix(journalStart, string(start)) {
		return fault.Usage("%s is not the journal of an earlier 'send'; name a new file", path)
	}

	for {
		line, err := r.ReadBytes('\n')
		var entry journalEntry
		if json.Unmarshal(line, &entry) == nil {
			j.seen[entry] = true
		}

		if errors.Is(err, io.EOF) {
			if len(line) > 0 {
				_, err = j.f.Write([]byte{'\n'}) // ends a line that was cut short
				return err
			}
			return nil
		}

		if err != nil {
			return fmt.Errorf("journal: %w", err)
		}
	}
}

func (j *Journal) entry(f *File) journalEntry {
	path, err := filepath.Abs(f.Path)
	if err != nil {
		path = f.Path
	}

	return journalEntry{j.peer, path, f.Size, f.modified}
}

func (j *Journal) has(f *File) bool { return j != nil && j.seen[j.entry(f)] }

// add writes a line that says f was stored, so that a later run leaves it out.
// Without a journal it does nothing.
func (j *Journal) add(f *File) error {
	if j == nil {
		return nil
	}

	b, err := json.Marshal(j.entry(f))
	if err != nil {
		return err
	}

	if _, err := j.f.Write(append(b, '\n')); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return nil
}

// Close makes what was acknowledged durable.
func (j *Journal) Close() error {
	if j == nil {
		return nil
	}
	return errors.Join(j.f.Sync(), j.f.Close())
}
