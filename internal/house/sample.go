package house

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"collimator/dicom/tag"
	"collimator/internal/fault"
	"collimator/internal/synth"
)

// Sample writes a study of so many images that a program drew, of nobody, into a
// directory that is made, and says how many files there are. The same seed draws the
// same study. No file is replaced.
func Sample(dir, kind string, images int, seed uint64) (int, error) {
	if _, err := kindOf(kind); err != nil {
		return 0, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return 0, err
	}

	n := 0
	err := sampled(kind, images, seed, func(name string, content []byte) error {
		n++
		return writeNew(filepath.Join(dir, name), content)
	})
	return n, err
}

// sampled draws the images of Sample, and gives each with the name of its file.
func sampled(kind string, images int, seed uint64, give func(name string, content []byte) error) error {
	of, err := kindOf(kind)
	if err != nil {
		return err
	}
	o := synth.Options{
		Seed: seed, Series: 1, Images: images, Rows: 256, Columns: 256,
		Patient: synth.Patient{Name: "TEST^SAMPLE", ID: "TEST-1", BirthDate: "19700101", Sex: "O"},
	}
	if of == synth.SEG { // one segmentation, of so many images
		o.Images = 1
		o.Frames = images
	}

	n := 0
	for f := range synth.Study(of, o) {
		n++
		if err := f.DataSet.SetText(tag.ReferringPhysicianName, "TEST^REFERRER"); err != nil {
			return err
		}
		if err := give(fmt.Sprintf("%s%04d.dcm", kind, n), synth.Bytes(f)); err != nil {
			return err
		}
	}
	return nil
}

func kindOf(name string) (synth.Kind, error) {
	for _, k := range synth.Kinds() {
		if strings.EqualFold(k.String(), name) {
			return k, nil
		}
	}
	return 0, fault.Usage("--kind: %q is not made here", name)
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
