package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"collimator/dicom"
	"collimator/dicom/pixel"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/internal/durable"
)

// sendFile is a file to be sent.
type sendFile struct {
	path     string
	size     int64 // bytes
	modified int64 // nanoseconds
	class    string
	instance string
	syntax   string
	offset   int64 // of the data set
	sent     bool
}

// scan finds the objects below paths that the journal does not have yet. Files
// of one kind stand together, so that an association needs few contexts.
func (s *sender) scan(e *env, paths []string) ([]*sendFile, error) {
	found, err := lookBelow(e, paths, nil)
	if err != nil {
		return nil, err
	}
	s.report.Failed = append(s.report.Failed, found.failed...)
	s.report.passedOver = found.passedOver

	var files []*sendFile
	for _, f := range found.files {
		if s.journal.has(f) {
			s.report.Skipped++
			continue
		}
		files = append(files, f)
	}

	slices.SortStableFunc(files, func(a, b *sendFile) int { return cmp.Compare(a.class+a.syntax, b.class+b.syntax) })
	return files, nil
}

// errNotStorable is a data set without the UIDs of an object.
var errNotStorable = errors.New("it holds no object that can be stored: SOP Class UID or SOP Instance UID is missing or malformed")

// inspectFile reads the identity of a file: from the data set, because some
// files have none or a wrong one in front. errNotDICOM, errDirectory and
// errBroken tell files apart that are no object.
func inspectFile(path string) (*sendFile, error) {
	info, err := os.Stat(path) // opening a pipe could wait for ever
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errNotDICOM
	}

	r, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer r.Close()

	f, err := dicom.OpenFile(r, info.Size(), dicom.DecodeOptions{BulkThreshold: 4 << 10})
	if err != nil {
		return nil, inspected(r, err)
	}
	out := &sendFile{
		path: path, size: info.Size(), modified: info.ModTime().UnixNano(), offset: f.DataSetOffset, syntax: f.TransferSyntax,
		class: f.DataSet.Text(tag.SOPClassUID), instance: f.DataSet.Text(tag.SOPInstanceUID),
	}
	switch err := out.storable(); {
	case errors.Is(err, errDirectory):
		return nil, err
	case err != nil:
		return nil, inspected(r, err) // noise may pass as an empty data set
	}
	return out, nil
}

// open gives the data set in one of the accepted transfer syntaxes.
func (f *sendFile) open(ctx context.Context, accepted []string) (io.ReadCloser, string, error) {
	r, err := os.Open(f.path)
	if err != nil {
		return nil, "", err
	}
	for _, ts := range append([]string{f.syntax}, nativeSyntaxes()...) {
		if !slices.Contains(accepted, ts) {
			continue
		}
		body, err := pixel.Open(ctx, pixel.Object{At: r, Offset: f.offset, Size: f.size - f.offset, TransferSyntax: f.syntax}, ts)
		if err != nil {
			return nil, "", errors.Join(err, r.Close())
		}
		return openFile{body, r}, ts, nil
	}
	return nil, "", errors.Join(fmt.Errorf("the peer does not take %s, and it cannot be converted", uid.Name(f.syntax)), r.Close())
}

// openFile is the data set of a file; closing it closes the file, too.
type openFile struct {
	io.ReadCloser
	file *os.File
}

// Close implements io.Closer.
func (o openFile) Close() error { return errors.Join(o.ReadCloser.Close(), o.file.Close()) }

// journal remembers across runs what a peer has acknowledged: one JSON object a
// line. A nil journal remembers nothing.
type journal struct {
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

func openJournal(path, peer string) (*journal, error) {
	if path == "" {
		return nil, nil
	}
	f, err := durable.Append(path)
	if err != nil {
		return nil, usageError("--journal: %w", err)
	}
	j := &journal{f: f, peer: peer, seen: map[journalEntry]bool{}}
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
func (j *journal) read(path string) error {
	r := bufio.NewReader(j.f)
	start, err := r.Peek(len(journalStart))
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("--journal: %w", err)
	}
	if !strings.HasPrefix(journalStart, string(start)) {
		return usageError("--journal: %s is no journal of an earlier 'send'; name a new file", path)
	}
	for {
		line, err := r.ReadBytes('\n')
		var entry journalEntry
		if json.Unmarshal(line, &entry) == nil {
			j.seen[entry] = true
		}
		if errors.Is(err, io.EOF) {
			if len(line) > 0 {
				_, err = j.f.Write([]byte{'\n'})
				return err
			}
			return nil
		}
		if err != nil {
			return fmt.Errorf("--journal: %w", err)
		}
	}
}

func (j *journal) entry(f *sendFile) journalEntry {
	path, err := filepath.Abs(f.path)
	if err != nil {
		path = f.path
	}
	return journalEntry{j.peer, path, f.size, f.modified}
}

func (j *journal) has(f *sendFile) bool { return j != nil && j.seen[j.entry(f)] }

func (j *journal) add(f *sendFile) error {
	if j == nil {
		return nil
	}
	b, err := json.Marshal(j.entry(f))
	if err != nil {
		return err
	}
	if _, err := j.f.Write(append(b, '\n')); err != nil {
		return fmt.Errorf("--journal: %w", err)
	}
	return nil
}

func (j *journal) close() error {
	if j == nil {
		return nil
	}
	return errors.Join(j.f.Sync(), j.f.Close())
}
