package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"collimator/dicom"
	"collimator/dicom/deid"
	"collimator/dicom/tag"
	"collimator/internal/durable"
	"collimator/internal/fetch"
	"collimator/internal/house"
	"collimator/internal/phrase"
	"collimator/internal/sender"
	"collimator/internal/shown"
)

type deidentifyCmd struct {
	Paths           []string `arg:"" help:"DICOM files and directories of them." placeholder:"FILE"`
	Out             string   `help:"Directory for the copies; it is made." required:"" placeholder:"DIR"`
	ProjectKey      string   `help:"File with the secret of the project. The same key gives the same pseudonyms." required:"" placeholder:"FILE"`
	NewKey          bool     `help:"Make the key file, which must not be there yet."`
	Keep            []string `help:"What to keep: dates or shifted-dates, uids, devices, institutions, characteristics, descriptors, structured, graphics, safe-private." enum:"dates,shifted-dates,uids,devices,institutions,characteristics,descriptors,structured,graphics,safe-private" placeholder:"WHAT"`
	AllowBurnedIn   bool     `help:"Let images pass that may show their patient in the pixels. They are flagged."`
	RemoveDocuments bool     `help:"Put an empty document in the place of an encapsulated one; else its file is refused."`
	Output          string   `short:"o" help:"text or json." enum:"text,json" default:"text"`
}

func (deidentifyCmd) Help() string {
	return `Follows the Basic Application Level Confidentiality Profile of PS3.15 E. Pixels are not changed: an
image that may show its patient's name is refused, look at it before you allow it. Free text that is
kept (descriptors) is cleaned by rules, which do not find every name. Keep the project key apart from the
copies: whoever has both can link them to the originals.

Example:
  collimator deidentify --project-key trial.key --new-key --keep shifted-dates --out ./clean ./study`
}

// deidReport is the answer of -o json.
type deidReport struct {
	Written int              `json:"written"`
	Skipped int              `json:"skipped"` // no DICOM objects
	Files   []deidFileReport `json:"files"`
	Failed  []sender.Failure `json:"failed"`
	sender.PassedOver
	seen map[string]string // of outputs: the input
	made durable.Directories
}

type deidFileReport struct {
	File   string `json:"file"`
	Output string `json:"output"`
	deid.Report
}

func (c *deidentifyCmd) Run(e *env) error {
	profile, err := c.profile()
	if err != nil {
		return err
	}
	key, err := c.key()
	if err != nil {
		return err
	}
	report := &deidReport{Files: []deidFileReport{}, Failed: []sender.Failure{}, seen: map[string]string{}, made: durable.Directories{}}
	paths, err := c.list(e, report)
	if err != nil {
		return err
	}
	d := deid.New(key, profile)
	p := newProgress(e, "de-identified", len(paths))
	for _, path := range paths {
		if e.ctx.Err() != nil {
			break
		}
		n, err := c.file(d, path, report)
		p.add(n, err != nil)
	}
	p.end()
	return c.finish(e, report)
}

// profile is the options of the flags.
func (c *deidentifyCmd) profile() (deid.Profile, error) {
	p, err := house.Profile(c.Keep)
	p.InsecureAllowBurnedIn, p.RemoveDocuments = c.AllowBurnedIn, c.RemoveDocuments
	return p, err
}

// key reads the project key, or makes it.
func (c *deidentifyCmd) key() ([]byte, error) {
	if c.NewKey {
		return house.NewProjectKey(c.ProjectKey)
	}
	key, err := house.ReadProjectKey(c.ProjectKey)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, usageError("--project-key: %s is not there; --new-key makes it", c.ProjectKey)
	}
	return key, err
}

// list finds the files before anything is written, and leaves out the
// directory of the copies.
func (c *deidentifyCmd) list(e *env, report *deidReport) ([]string, error) {
	out, err := filepath.Abs(c.Out)
	if err != nil {
		return nil, err
	}
	found, err := lookBelow(e, c.Paths, func(dir string) bool {
		abs, err := filepath.Abs(dir)
		return err == nil && abs == out
	})
	if err != nil {
		return nil, err
	}
	report.Failed = append(report.Failed, found.Failed...)
	report.PassedOver = found.PassedOver
	report.Skipped = len(found.NotDICOM) + len(found.DICOMDIRs)

	paths := make([]string, len(found.Files))
	for i, f := range found.Files {
		paths[i] = f.Path
	}
	return paths, nil
}

// file de-identifies one file and notes how it went. It gives the bytes read.
func (c *deidentifyCmd) file(d *deid.Deidentifier, path string, report *deidReport) (int64, error) {
	n, output, done, err := c.convert(d, path, report)
	if err != nil {
		report.Failed = append(report.Failed, sender.Failure{File: path, Reason: err.Error()})
		return n, err
	}
	report.seen[output] = path
	report.Written++
	report.Files = append(report.Files, deidFileReport{path, output, done})
	return n, nil
}

func (c *deidentifyCmd) convert(d *deid.Deidentifier, path string, report *deidReport) (n int64, output string, done deid.Report, err error) {
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
	out, done, err := d.ApplyFile(f, dicom.ImplementationClassUID)
	if err != nil {
		return n, "", done, err
	}

	ds := out.DataSet
	dir := fetch.Place(c.Out, ds)
	output = filepath.Join(dir, fetch.FileName(ds.Text(tag.SOPInstanceUID), "no-instance")+".dcm")
	if first, ok := report.seen[output]; ok {
		return n, output, done, fmt.Errorf("it is the same instance as %s", first)
	}

	if err := report.made.Make(dir); err != nil {
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

// finish prints the report and gives the exit code.
func (c *deidentifyCmd) finish(e *env, report *deidReport) error {
	if c.Output == "json" {
		if err := printJSON(e.stdout, report); err != nil {
			return err
		}
	} else {
		for _, f := range report.Files {
			for _, flag := range f.Flags {
				fmt.Fprintf(e.stdout, "%s: %s\n", shown.Text(f.File), flag)
			}
		}
		for _, line := range passedLines(&report.PassedOver) {
			fmt.Fprintln(e.stdout, line)
		}
		fmt.Fprintf(e.stdout, "Wrote %s to %s; %d failed%s.\n",
			phrase.Count(report.Written, "file", "files"), c.Out, len(report.Failed), passedCounts(&report.PassedOver))
	}

	var failed []error
	for _, f := range report.Failed {
		failed = append(failed, fmt.Errorf("%s: %s", shown.Text(f.File), f.Reason))
	}
	if err := e.ctx.Err(); err != nil {
		failed = append(failed, errors.New("interrupted: the rest was not looked at"))
	}

	switch {
	case len(failed) == 0 && report.Written == 0:
		return errors.New("no DICOM objects were found")
	case len(failed) > 0 && report.Written > 0:
		return &exitError{exitPartial, errors.Join(failed...)}
	}
	return errors.Join(failed...)
}
