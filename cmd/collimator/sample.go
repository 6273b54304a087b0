package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"collimator/dicom/tag"
	"collimator/internal/phrase"
	"collimator/internal/synth"
)

type sampleCmd struct {
	Out    string `help:"Directory for the files; it is made." default:"./sample" placeholder:"DIR"`
	Kind   string `help:"What to make: ct, mr, us, dx, sr, pdf, seg or ecg." enum:"ct,mr,us,dx,sr,pdf,seg,ecg" default:"ct"`
	Images int    `help:"Images of the study." default:"4" bounds:"1 to 10000"`
	Seed   uint64 `help:"Another number makes another study; the same number the same files." default:"1"`
}

func (sampleCmd) Help() string {
	return `The study is drawn by a program, of a patient called TEST^SAMPLE. Nothing in it comes from a
person. Files that are there already are not overwritten.

Example:
  collimator sample --out ./sample`
}

func (c *sampleCmd) Run(e *env) error {
	kind, err := kindOf(c.Kind)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.Out, 0o755); err != nil {
		return err
	}
	n := 0
	for f := range synth.Study(kind, synth.Options{
		Seed: c.Seed, Series: 1, Images: c.Images, Rows: 256, Columns: 256,
		Patient: synth.Patient{Name: "TEST^SAMPLE", ID: "TEST-1", BirthDate: "19700101", Sex: "O"},
	}) {
		n++
		if err := f.DataSet.SetText(tag.ReferringPhysicianName, "TEST^REFERRER"); err != nil {
			return err
		}
		if err := writeNew(filepath.Join(c.Out, fmt.Sprintf("%s%04d.dcm", c.Kind, n)), synth.Bytes(f)); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(e.stdout, "Wrote %s of a %s study of TEST^SAMPLE to %s.\n",
		phrase.Count(n, "file", "files"), strings.ToUpper(c.Kind), c.Out)
	return err
}

func kindOf(name string) (synth.Kind, error) {
	for _, k := range synth.Kinds() {
		if strings.EqualFold(k.String(), name) {
			return k, nil
		}
	}
	return 0, usageError("--kind: %q is not made here", name)
}

// writeNew writes a file that must not exist yet.
func writeNew(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if os.IsExist(err) {
		return fmt.Errorf("%s exists already and is not overwritten; name another directory with --out", path)
	}
	if err != nil {
		return err
	}
	if _, err := f.Write(content); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
