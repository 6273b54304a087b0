// Package dump prints data sets for people and for programs. As text it withholds
// what may say something about a patient or a person, unless that is asked for;
// as JSON (DICOM JSON model) it prints all. It reads files as they are
// needed: a long value is not held in memory.
package dump

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
	"collimator/internal/fault"
	"collimator/internal/shown"
)

// Options say how a data set is printed. The zero value prints text without the
// values of patients, each as long as it is.
type Options struct {
	Reveal bool // print the values that say something about a patient or a person
	Width  int  // most characters of a value; 0 for all
	JSON   bool // the DICOM JSON model, which has all values; Reveal has to be set
}

// Files prints files one after the other, of which "-" is stdin; as JSON several
// are one array. A file that cannot be read does not keep the others from being
// printed: where some were and some not, the error ends as fault.Partly.
func Files(w io.Writer, names []string, stdin io.Reader, o Options) error {
	if o.JSON && !o.Reveal {
		return fault.Usage("-o json prints all values: add --reveal if you may see them")
	}

	out := bufio.NewWriter(w)
	list := o.JSON && len(names) > 1
	var failed []error
	written := 0
	for _, name := range names {
		f, err := open(name, stdin)
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", name, err))
			continue
		}

		if list {
			out.WriteByte("[,"[min(written, 1)]) // an error comes again with Flush
		}

		written++
		if err := errors.Join(o.file(out, f, name), f.Close()); err != nil {
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
	if len(failed) > 0 && len(failed) < len(names) {
		return fault.Ended(fault.Partly, errors.Join(failed...))
	}
	return errors.Join(failed...)
}

// file prints one file, as a line of JSON or as text: its name and transfer syntax,
// what is irregular in it, the meta information, and the data set.
func (o Options) file(w io.Writer, f *file, name string) error {
	if o.JSON {
		opts := dicom.JSONOptions{BulkDataURI: fragmentsOf(name)}
		if err := dicom.WriteJSON(shown.NewJSON(w), f.DataSet, opts); err != nil {
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

	if err := o.print(w, f.Meta, ""); err != nil {
		return err
	}
	return o.print(w, f.DataSet, "")
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

// file is a file whose long values are read when they are printed.
type file struct {
	*dicom.File
	io.Closer
}

// open opens a file, or keeps stdin in a file without a name. Close it.
func open(name string, stdin io.Reader) (_ *file, err error) {
	var b *os.File
	if name == "-" {
		b, err = spool(stdin)
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
	return &file{f, b}, nil
}

// spool copies a stream into a file that goes with the process.
func spool(r io.Reader) (*os.File, error) {
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

func (o Options) print(w io.Writer, ds *dicom.DataSet, indent string) error {
	for el := range ds.All() {
		length := fmt.Sprint(el.Length())
		if el.Length() == dicom.UndefinedLength {
			length = "undefined"
		}

		_, err := fmt.Fprintf(w, "%s%s %s %-9s %-32s %s\n", indent, el.Tag, el.VR, length, el.Tag.Keyword(), o.value(el))
		if err != nil {
			return err
		}

		for i, it := range el.Items() {
			fmt.Fprintf(w, "%s  item %d\n", indent, i+1)
			if err := o.print(w, it, indent+"    "); err != nil {
				return err
			}
		}
	}
	return nil
}

func (o Options) value(el dicom.Element) string {
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
	case !o.Reveal && !harmless(el):
		return "(withheld)"
	}

	return o.shorten(valueText(el))
}

// valueText is a value in full: text with the name of a UID that has one, numbers, and
// of anything else the number of bytes.
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

func (o Options) shorten(s string) string {
	if r := []rune(s); o.Width > 0 && len(r) > o.Width {
		return string(r[:o.Width]) + "..."
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
	case dicom.US, dicom.SS, dicom.UL, dicom.SL, dicom.UV, dicom.SV, dicom.FL, dicom.FD, dicom.AT,
		dicom.CS, dicom.IS, dicom.DS:
		return true
	case dicom.UI:
		return uid.Known(el.Text())
	}
	return false
}
