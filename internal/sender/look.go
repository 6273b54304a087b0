package sender

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Found is what lies below paths that were named. Every regular file
// below them stands in one of the lists.
type Found struct {
	Files  []*File   // DICOM objects
	Failed []Failure // files that were named and are not DICOM objects, DICOM that cannot be read, directories that cannot
	PassedOver
}

// PassedOver is what was left out, in lists, so that nobody takes for
// complete what is not.
type PassedOver struct {
	NotDICOM  []string `json:"notDICOM"`
	DICOMDIRs []string `json:"dicomdirs"` // media storage directories: they only point to objects
	Links     []string `json:"links"`     // symbolic links, which are not followed
}

// nothingPassed has lists that JSON shows as empty.
func nothingPassed() PassedOver {
	return PassedOver{NotDICOM: []string{}, DICOMDIRs: []string{}, Links: []string{}}
}

// LookOptions change how Look looks.
type LookOptions struct {
	// LeaveOut, where it is not nil, is asked for each directory.
	LeaveOut func(dir string) bool
	// Progress, where it is not nil, is called for each file.
	Progress func()
}

// Look looks at the files that are named and at all below the directories. A root
// that is not there is an error; else it ends early with ctx alone.
func Look(ctx context.Context, roots []string, o LookOptions) (*Found, error) {
	w := &Found{PassedOver: nothingPassed()}
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
			case ctx.Err() != nil:
				return ctx.Err()
			case err != nil:
				w.fail(filepath.Clean(path), err)
				return nil
			case entry.IsDir():
				if o.LeaveOut != nil && o.LeaveOut(path) {
					return fs.SkipDir
				}
				return nil
			}

			if o.Progress != nil {
				o.Progress()
			}
			w.below(path, entry)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return w, nil
}

func (w *Found) fail(path string, err error) {
	broken := errors.Is(err, ErrBroken)
	w.Failed = append(w.Failed, Failure{File: path, Reason: err.Error(), Broken: broken})
}

// named takes a file of the command line. Whoever names a file wants it:
// a file that is not an object has failed.
func (w *Found) named(path string) {
	f, err := Inspect(path)
	if err != nil {
		w.fail(path, err)
		return
	}
	w.Files = append(w.Files, f)
}

// below takes a file that was found in a directory.
func (w *Found) below(path string, entry fs.DirEntry) {
	switch {
	case entry.Type()&fs.ModeSymlink != 0:
		w.Links = append(w.Links, path)
		return
	case !entry.Type().IsRegular():
		w.NotDICOM = append(w.NotDICOM, path) // opening a pipe could wait for ever
		return
	}

	f, err := Inspect(path)
	switch {
	case err == nil:
		w.Files = append(w.Files, f)
	case errors.Is(err, ErrDirectory):
		w.DICOMDIRs = append(w.DICOMDIRs, path)
	case errors.Is(err, ErrNotDICOM):
		w.NotDICOM = append(w.NotDICOM, path)
	default:
		w.fail(path, err)
	}
}
