package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"collimator/dicom"
	"collimator/dicom/uid"
	"collimator/internal/shown"
)

// walked is what lies below the paths of a command line. Every regular file
// below them stands in one of the lists.
type walked struct {
	files  []*sendFile   // DICOM objects
	failed []sendFailure // what was named and is none, DICOM that cannot be read, directories that cannot
	passedOver
}

// passedOver is what a command left out, in lists, so that nobody takes for
// complete what is not.
type passedOver struct {
	NotDICOM  []string `json:"notDICOM"`
	DICOMDIRs []string `json:"dicomdirs"` // media storage directories: they only point to objects
	Links     []string `json:"links"`     // symbolic links, which are not followed
}

// nothingPassed has lists that JSON shows as empty.
func nothingPassed() passedOver {
	return passedOver{NotDICOM: []string{}, DICOMDIRs: []string{}, Links: []string{}}
}

// lookBelow looks at the files that are named and at all below the directories.
// leaveOut, where it is not nil, is asked for each directory.
func lookBelow(e *env, roots []string, leaveOut func(dir string) bool) (*walked, error) {
	w := &walked{passedOver: nothingPassed()}
	p := newProgress(e, "looked at", 0)
	defer p.end()

	for _, root := range roots {
		info, err := os.Stat(root)
		if err != nil {
			return nil, err // a misspelt path ends it before anything is done
		}
		if !info.IsDir() {
			w.named(root)
			continue
		}

		// With the separator a link to a directory is followed where it is named.
		err = filepath.WalkDir(root+string(filepath.Separator), func(path string, entry fs.DirEntry, err error) error {
			switch {
			case e.ctx.Err() != nil:
				return e.ctx.Err()
			case err != nil:
				w.fail(filepath.Clean(path), err)
				return nil
			case entry.IsDir():
				if leaveOut != nil && leaveOut(path) {
					return fs.SkipDir
				}
				return nil
			}

			p.add(0, false)
			w.below(path, entry)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return w, nil
}

func (w *walked) fail(path string, err error) {
	broken := errors.Is(err, errBroken)
	w.failed = append(w.failed, sendFailure{File: path, Reason: err.Error(), Broken: broken})
}

// named takes a file of the command line. Whoever names a file wants it: what
// is no object has failed.
func (w *walked) named(path string) {
	f, err := inspectFile(path)
	if err != nil {
		w.fail(path, err)
		return
	}
	w.files = append(w.files, f)
}

// below takes a file that was found in a directory.
func (w *walked) below(path string, entry fs.DirEntry) {
	switch {
	case entry.Type()&fs.ModeSymlink != 0:
		w.Links = append(w.Links, path)
		return
	case !entry.Type().IsRegular():
		w.NotDICOM = append(w.NotDICOM, path) // opening a pipe could wait for ever
		return
	}

	f, err := inspectFile(path)
	switch {
	case err == nil:
		w.files = append(w.files, f)
	case errors.Is(err, errDirectory):
		w.DICOMDIRs = append(w.DICOMDIRs, path)
	case errors.Is(err, errNotDICOM):
		w.NotDICOM = append(w.NotDICOM, path)
	default:
		w.fail(path, err)
	}
}

// What a file is that is no object.
var (
	errNotDICOM  = errors.New("it is not DICOM")
	errDirectory = errors.New("it is a media storage directory (DICOMDIR), which holds no object")
	errBroken    = errors.New("DICOM but broken")
)

// inspected judges a file that could not be read as an object: broken where it
// shows that it is meant as DICOM.
func inspected(r io.ReaderAt, err error) error {
	head := make([]byte, 4<<10)
	n, readErr := r.ReadAt(head, 0)
	switch {
	case readErr != nil && !errors.Is(readErr, io.EOF):
		return readErr
	case looksDICOM(head[:n]):
		return fmt.Errorf("%w: %w", errBroken, err)
	}
	return errNotDICOM
}

// Part 10 files have a preamble and this prefix in front (PS3.10 7.1).
const (
	preambleLength = 128
	part10Prefix   = "DICM"
)

// looksDICOM reports whether a file begins as DICOM does: with the prefix, or,
// where old software left it out, with two elements of group 0002 or 0008.
func looksDICOM(head []byte) bool {
	if len(head) > preambleLength && strings.HasPrefix(string(head[preambleLength:]), part10Prefix) {
		return true
	}
	first, next := elementAt(head)
	if first.Group() != 0x0002 && first.Group() != 0x0008 || next >= len(head) {
		return false
	}
	second, after := elementAt(head[next:])
	return after > 0 && second > first && second.Group() <= 0x0010
}

// elementAt reads the tag of an element in little endian and how many bytes the
// element takes, whether its VR is written (PS3.5 7.1.2) or not (7.1.3).
func elementAt(b []byte) (t dicom.Tag, size int) {
	const head = 8 // tag, VR and length of most VRs
	if len(b) < head {
		return 0, 0
	}
	u16 := func(at int) int { return int(b[at]) | int(b[at+1])<<8 }
	t = dicom.Tag(u16(0)<<16 | u16(2))

	if b[4] >= 'A' && b[4] <= 'Z' && b[5] >= 'A' && b[5] <= 'Z' {
		if strings.Contains("OB OW OF OD OL OV SQ UC UN UR UT SV UV", string(b[4:6])) {
			return t, len(b) // long ones are not looked behind
		}
		return t, head + u16(6)
	}
	if u16(6) != 0 {
		return t, len(b)
	}
	return t, head + u16(4)
}

// lines tell in words what was left out, with the names of a few.
func (p *passedOver) lines() []string {
	var out []string
	for _, kind := range []struct {
		list []string
		name string
	}{{p.NotDICOM, "not DICOM"}, {p.DICOMDIRs, "DICOMDIR, it holds no object"}, {p.Links, "symbolic link, not followed"}} {
		for _, path := range kind.list[:min(len(kind.list), sameReason)] {
			out = append(out, fmt.Sprintf("left out: %s: %s", shown.Text(path), kind.name))
		}
		if n := len(kind.list) - sameReason; n > 0 {
			out = append(out, fmt.Sprintf("and %d more: %s (-o json lists them all)", n, kind.name))
		}
	}
	return out
}

// counts is the end of a sentence: ", 3 not DICOM, 1 symbolic link not followed".
func (p *passedOver) counts() string {
	var b strings.Builder
	if n := len(p.NotDICOM); n > 0 {
		fmt.Fprintf(&b, ", %d not DICOM", n)
	}
	if n := len(p.DICOMDIRs); n > 0 {
		fmt.Fprintf(&b, ", %d DICOMDIR", n)
	}
	if n := len(p.Links); n > 0 {
		fmt.Fprintf(&b, ", %d symbolic links not followed", n)
	}
	return b.String()
}

// storable reports whether the UIDs name an object that can be stored.
func (f *sendFile) storable() error {
	switch {
	case f.class == uid.MediaStorageDirectory:
		return errDirectory
	case !uid.Tolerable(f.class) || !uid.Tolerable(f.instance):
		return errNotStorable
	}
	return nil
}
