package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/internal/shown"
)

type dumpCmd struct {
	Files  []string `arg:"" help:"DICOM files; - for standard input." placeholder:"FILE"`
	Reveal bool     `help:"Print the values that say something about a patient or a person."`
	Width  int      `help:"Most characters of a value." default:"64" bounds:"1 to 1000000"`
	Output string   `short:"o" help:"text, or json (DICOM JSON model; needs --reveal)." enum:"text,json" default:"text"`
}

func (dumpCmd) Help() string {
	return "Values of patients are withheld: use --reveal where you may see them.\nAs JSON several files are one array; compressed pixel data are named by their file.\n\nExample:\n  collimator dump image.dcm"
}

func (c *dumpCmd) Run(e *env) error {
	if c.Output == "json" && !c.Reveal {
		return usageError("-o json prints all values: add --reveal if you may see them")
	}

	out := bufio.NewWriter(e.stdout)
	list := c.Output == "json" && len(c.Files) > 1
	var failed []error
	written := 0
	for _, name := range c.Files {
		f, err := openDump(e, name)
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", name, err))
			continue
		}
		if list {
			out.WriteByte("[,"[min(written, 1)]) // an error comes again with Flush
		}
		written++
		if err := errors.Join(c.file(f, out, name), f.Close()); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", name, err))
		}
	}

	switch {
	case list && written == 0:
		fmt.Fprintln(out, "[]")
	case list:
		fmt.Fprintln(out, "]")
	}

	if err := out.Flush(); err != nil {
		return err
	}
	if len(failed) > 0 && len(failed) < len(c.Files) {
		return &exitError{exitPartial, errors.Join(failed...)}
	}
	return errors.Join(failed...)
}

// file prints one file.
func (c *dumpCmd) file(f *dumpFile, w io.Writer, name string) error {
	if c.Output == "json" {
		if err := dicom.WriteJSON(shown.NewJSON(w), f.DataSet, dicom.JSONOptions{BulkDataURI: fragmentsOf(name)}); err != nil {
			return err
		}
		_, err := fmt.Fprintln(w)
		return err
	}
	fmt.Fprintf(w, "# %s: %s\n", shown.Text(name), uid.Name(f.TransferSyntax))
	for _, n := range f.Notes {
		fmt.Fprintf(w, "# irregular: %s\n", shown.Text(fmt.Sprint(n)))
	}
	for _, n := range f.DataSet.Notes() {
		fmt.Fprintf(w, "# irregular: %s\n", shown.Text(fmt.Sprint(n)))
	}
	if err := c.print(w, f.Meta, ""); err != nil {
		return err
	}
	return c.print(w, f.DataSet, "")
}

// fragmentsOf names encapsulated values by the file they stand in and the path of
// tags to them: they are fragments and have no place inline (PS3.18 F.2.7). All
// other values are written.
func fragmentsOf(name string) func(string, dicom.Element) string {
	u := url.URL{Scheme: "file", Path: name}
	if !filepath.IsAbs(name) {
		u = url.URL{Scheme: "file", Opaque: (&url.URL{Path: name}).EscapedPath()}
	}
	return func(path string, el dicom.Element) string {
		if !el.Encapsulated() {
			return ""
		}
		u.Fragment = path
		return u.String()
	}
}

// dumpFile is a file whose long values are read when they are printed.
type dumpFile struct {
	*dicom.File
	io.Closer
}

// openDump opens a file, or keeps standard input in a file without a name.
// Close it.
func openDump(e *env, name string) (_ *dumpFile, err error) {
	var b *os.File
	if name == "-" {
		b, err = spoolInput(e.stdin)
	} else {
		b, err = os.Open(name)
	}
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			b.Close()
		}
	}()

	info, err := b.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() == 0 {
		return nil, errors.New("the file is empty")
	}
	f, err := dicom.OpenFile(b, info.Size(), dicom.DecodeOptions{BulkThreshold: 64 << 10})
	if err != nil {
		return nil, err
	}
	return &dumpFile{f, b}, nil
}

// spoolInput copies a stream into a file that goes with the process.
func spoolInput(r io.Reader) (*os.File, error) {
	f, err := os.CreateTemp("", "collimator-dump-*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if _, err := io.Copy(f, r); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (c *dumpCmd) print(w io.Writer, ds *dicom.DataSet, indent string) error {
	for el := range ds.All() {
		length := fmt.Sprint(el.Length())
		if el.Length() == dicom.UndefinedLength {
			length = "undefined"
		}
		if _, err := fmt.Fprintf(w, "%s%s %s %-9s %-32s %s\n", indent, el.Tag, el.VR, length, el.Tag.Keyword(), c.value(el)); err != nil {
			return err
		}
		for i, it := range el.Items() {
			fmt.Fprintf(w, "%s  item %d\n", indent, i+1)
			if err := c.print(w, it, indent+"    "); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *dumpCmd) value(el dicom.Element) string {
	if bulk, ok := el.Bulk(); ok {
		return fmt.Sprintf("(%d bytes)", bulk.Length)
	}
	switch {
	case el.Encapsulated():
		return fmt.Sprintf("(%d fragments)", el.FragmentCount())
	case el.Sequence():
		return fmt.Sprintf("(%d items)", len(el.Items()))
	case el.Empty():
		return ""
	case !c.Reveal && !harmless(el):
		return "(withheld)"
	}
	return c.shorten(valueText(el))
}

func valueText(el dicom.Element) string {
	switch {
	case el.VR.Text():
		text := shown.Text(strings.Join(el.Texts(), `\`))
		if el.VR == dicom.UI && uid.Name(text) != text {
			text += " = " + uid.Name(text)
		}
		return text
	case el.VR == dicom.FL || el.VR == dicom.FD:
		return joinValues(el.Floats())
	case len(el.Ints()) > 0:
		return joinValues(el.Ints())
	}
	return fmt.Sprintf("(%d bytes)", len(el.Bytes()))
}

func joinValues[T any](values []T) string {
	words := make([]string, 0, min(len(values), 64))
	for _, v := range values[:min(len(values), 64)] {
		words = append(words, fmt.Sprint(v))
	}
	return strings.Join(words, `\`)
}

func (c *dumpCmd) shorten(s string) string {
	if r := []rune(s); c.Width > 0 && len(r) > c.Width {
		return string(r[:c.Width]) + "..."
	}
	return s
}

// harmless reports an element whose value describes the object and not a
// person: numbers and codes outside of the patient group, and UIDs that the
// standard hands out. Private elements never are.
func harmless(el dicom.Element) bool {
	if el.Tag.Private() || el.Tag.Group() == 0x0010 || el.Tag.Group() == 0x4010 {
		return false
	}
	if el.Tag.Group() == 0x0002 && el.VR != dicom.AE && el.Tag != tag.MediaStorageSOPInstanceUID {
		return true
	}
	switch el.VR {
	case dicom.US, dicom.SS, dicom.UL, dicom.SL, dicom.UV, dicom.SV, dicom.FL, dicom.FD, dicom.AT, dicom.CS, dicom.IS, dicom.DS:
		return true
	case dicom.UI:
		return uid.Known(el.Text())
	}
	return false
}
