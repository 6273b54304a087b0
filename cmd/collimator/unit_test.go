package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"collimator/dicom"
	"collimator/dicom/uid"
	"collimator/internal/durable"
	"collimator/internal/fetch"
	"collimator/internal/identity"
	"collimator/internal/pacs"
	"collimator/internal/shown"
)

func TestOutputAsJSONIsShownWithoutHarm(t *testing.T) {
	t.Parallel()
	const text = "Größe 医\u0085\u009b31m\u202eabc\u2066\u2028\u200b\ufeff\U000e0041\x7f𝄞"
	var b bytes.Buffer
	if err := printJSON(&b, []string{text}); err != nil || strings.Count(b.String(), "\n") != 3 || shown.Text(strings.ReplaceAll(b.String(), "\n", "")) != strings.ReplaceAll(b.String(), "\n", "") {
		t.Errorf("%q: %v", b.String(), err)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestSizePrintsBytesForPeople(t *testing.T) {
	t.Parallel()
	for in, want := range map[int64]string{0: "0 bytes", 999: "999 bytes", 1000: "1 kB", 526_000: "526 kB", 1_500_000: "1.5 MB", 2_340_000_000: "2.3 GB"} {
		if got := size(in); got != want {
			t.Errorf("size(%d) = %q, want %q", in, got, want)
		}
	}
}

func TestLastDayOfAnExceptionIsTheOneThatWasGiven(t *testing.T) {
	t.Parallel()
	end := time.Date(2027, 1, 1, 0, 0, 0, 0, time.Local)
	if got := lastDay(end); got != "2026-12-31" {
		t.Errorf("last day is %s", got)
	}
	if got := lastDay(time.Time{}); got != "-" {
		t.Errorf("without an end: %s", got)
	}
}

func TestFileNameOfAnAETitleStaysInItsDirectory(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"CT1": "CT1", "../../ETC": "______ETC", "A/B C": "A_B_C"} {
		if got := fileName(in); got != want {
			t.Errorf("fileName(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestGetTakesEveryTransferSyntaxTheArchiveStores(t *testing.T) {
	t.Parallel()
	for _, ts := range pacs.New(pacs.Options{}).Support().TransferSyntaxes(uid.CTImageStorage) {
		if !slices.Contains(fetch.AnySyntax(), ts) {
			t.Errorf("an object stored in %s cannot be fetched", uid.Name(ts))
		}
	}
}

// TestEveryCommandHasAHelpTextWithAnExample holds for commands, not for groups of them.
func TestEveryCommandHasAHelpTextWithAnExample(t *testing.T) {
	t.Parallel()
	var c cli
	var sink bytes.Buffer
	parser, err := newParser(&c, &env{stdout: &sink, stderr: &sink, ctx: context.Background()})
	if err != nil {
		t.Fatal(err)
	}
	var walk func(n *kong.Node, path string)
	walk = func(n *kong.Node, path string) {
		if len(n.Children) > 0 {
			for _, child := range n.Children {
				walk(child, path+" "+child.Name)
			}
			return
		}
		var out bytes.Buffer
		if code := run(append(strings.Fields(path), "--help"), &env{stdout: &out, stderr: &out, ctx: context.Background()}); code != exitOK {
			t.Errorf("%s --help: exit code %d", path, code)
		}
		if text := out.String(); !strings.Contains(text, "Example") || !strings.Contains(text, "collimator"+path) {
			t.Errorf("the help of%s has no example:\n%s", path, text)
		}
	}
	walk(parser.Model.Node, "")
}

func TestHarmlessElementsSayNothingAboutAPerson(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"Modality": true, "Rows": true, "SliceThickness": true, "SOPClassUID": true,
		"PatientName": false, "PatientSex": false, "PatientWeight": false, "PatientBirthDate": false, "StudyDate": false, "AccessionNumber": false,
		"InstitutionName": false, "StudyDescription": false, "ReferringPhysicianName": false, "StudyInstanceUID": false, "StationName": false,
	} {
		b, err := smallImage([]string{"SliceThickness=1", "PatientSex=F", "PatientWeight=70", "AccessionNumber=ZZPHI", "InstitutionName=ZZPHI", "ReferringPhysicianName=ZZPHI", "StationName=ZZPHI"})
		if err != nil {
			t.Fatal(err)
		}
		f, err := dicom.ReadFile(bytes.NewReader(b), dicom.DecodeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for el := range f.DataSet.All() {
			if el.Tag.Keyword() == name {
				found = true
				if harmless(el) != want {
					t.Errorf("%s: harmless is not %v", name, want)
				}
			}
		}
		if !found {
			t.Errorf("%s is not in the test image", name)
		}
	}
}

func TestKeyIsNotWrittenIntoAFileThatSomebodyElsePrepared(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	key, trap := filepath.Join(dir, "WS1.key.pem"), filepath.Join(dir, "trap")
	if err := os.Symlink(trap, key+".new"); err != nil {
		t.Skip("no symbolic links here")
	}
	if err := durable.Whole(key, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(trap); err == nil {
		t.Error("the key was written through a prepared link")
	}
	info, err := os.Lstat(key)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}

func TestDeviceListMarksShortKeys(t *testing.T) {
	t.Parallel()
	end := time.Date(2027, 1, 2, 12, 0, 0, 0, time.Local)
	row := deviceRow(&identity.Device{AETitle: "OLD1", Certificates: []identity.Certificate{{NotAfter: end, Weakness: "RSA key of 1024 bits"}}})
	if !slices.Contains(row, "2027-01-02, INSECURE: RSA key of 1024 bits") {
		t.Errorf("row %q", row)
	}
}
