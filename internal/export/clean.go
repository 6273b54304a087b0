package export

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"collimator/dicom"
	"collimator/dicom/deid"
	"collimator/dicom/tag"
	"collimator/internal/durable"
	"collimator/internal/fetch"
	"collimator/internal/phrase"
	"collimator/internal/sender"
	"collimator/internal/shown"
)

// CleanReport is what was written without identity. The lists are never nil.
type CleanReport struct {
	Written int              `json:"written"`
	Skipped int              `json:"skipped"` // no DICOM objects
	Files   []Clean          `json:"files"`
	Failed  []sender.Failure `json:"failed"`
	sender.PassedOver
}

// Clean is a file that was written, and what became of its elements.
type Clean struct {
	File   string `json:"file"`
	Output string `json:"output"`
	deid.Report
}

// CleanOptions are how Deidentify writes. By and Dir are required.
type CleanOptions struct {
	By  *deid.Deidentifier
	Dir string // of the copies, STUDY/SERIES/INSTANCE.dcm by their new UIDs
	// Progress, where it is not nil, is called for each file: the bytes that were
	// read, and whether it failed.
	Progress func(bytes int64, failed bool)
}

// Deidentify writes a copy of each file that was found, without the identity of its
// patient. One that cannot be does not keep the others back. It ends
// early with ctx.
func Deidentify(ctx context.Context, found *sender.Found, o CleanOptions) CleanReport {
	x := &cleaning{by: o.By, dir: o.Dir, seen: map[string]string{}, made: durable.Directories{}}
	x.report.Files = []Clean{}
	x.report.Failed = append([]sender.Failure{}, found.Failed...)
	x.report.PassedOver = found.PassedOver
	x.report.Skipped = len(found.NotDICOM) + len(found.DICOMDIRs)

	for _, f := range found.Files {
		if ctx.Err() != nil {
			break
		}
		n, err := x.file(f.Path)
		if o.Progress != nil {
			o.Progress(n, err != nil)
		}
	}
	return x.report
}

// cleaning is one run of Deidentify.
type cleaning struct {
	by     *deid.Deidentifier
	dir    string
	seen   map[string]string // of outputs: the input
	made   durable.Directories
	report CleanReport
}

// file de-identifies one file and notes how it went. It gives the bytes read.
func (x *cleaning) file(path string) (int64, error) {
	n, output, done, err := x.convert(path)
	if err != nil {
		x.report.Failed = append(x.report.Failed, sender.Failure{File: path, Reason: err.Error()})
		return n, err
	}

	x.seen[output] = path
	x.report.Written++
	x.report.Files = append(x.report.Files, Clean{File: path, Output: output, Report: done})
	return n, nil
}

func (x *cleaning) convert(path string) (n int64, output string, done deid.Report, err error) {
	r, err := os.Open(path)
	if err != nil {
		return 0, "", done, err
	}
	defer r.Close()

	info, err := r.Stat()
	if err != nil {
		return 0, "", done, err
	}
	n = info.Size()

	f, err := dicom.OpenFile(r, n, dicom.DecodeOptions{})
	if err != nil {
		return n, "", done, err
	}
	out, done, err := x.by.ApplyFile(f, dicom.ImplementationClassUID)
	if err != nil {
		return n, "", done, err
	}

	ds := out.DataSet
	dir := fetch.Place(x.dir, ds)
	output = filepath.Join(dir, fetch.FileName(ds.Text(tag.SOPInstanceUID), "no-instance")+".dcm")
	if first, ok := x.seen[output]; ok {
		return n, output, done, fmt.Errorf("it is the same instance as %s", first)
	}

	if err := x.made.Make(dir); err != nil {
		return n, output, done, err
	}
	return n, output, done, writeCopy(dir, output, out)
}

// writeCopy writes a file whole or not at all; pixel data stream through.
func writeCopy(dir, output string, f *dicom.File) error {
	tmp, err := durable.Create(dir, 0o600)
	if err != nil {
		return err
	}
	defer tmp.Abort()

	w := bufio.NewWriterSize(tmp, 256<<10)
	if err := dicom.WriteFile(w, f); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return tmp.Whole(output)
}

// NotAmong leaves a directory out where files are looked for: that of the copies.
func NotAmong(dir string) (leaveOut func(dir string) bool, err error) {
	out, err := filepath.Abs(dir)
	return func(dir string) bool {
		abs, err := filepath.Abs(dir)
		return err == nil && abs == out
	}, err
}

// Print says in words what may be wrong with the copies in a directory, what was passed
// over, and how much was written.
func (r CleanReport) Print(w io.Writer, dir string) error {
	for _, f := range r.Files {
		for _, flag := range f.Flags {
			fmt.Fprintf(w, "%s: %s\n", shown.Text(f.File), flag)
		}
	}
	for _, line := range r.PassedOver.Lines() {
		fmt.Fprintln(w, line)
	}
	_, err := fmt.Fprintf(w, "Wrote %s to %s; %d failed%s.\n",
		phrase.Count(r.Written, "file", "files"), dir, len(r.Failed), r.PassedOver.Counts())
	return err
}
