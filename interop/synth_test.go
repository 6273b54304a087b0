//go:build interop

package interop_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"collimator/dicom/uid"
	"collimator/internal/synth"
	"collimator/interop/harness"
)

// TestDciodvfyFindsNoFaultInSyntheticStudies holds what other tests rely on: a
// file that a reader refuses is the reader's fault. dciodvfy knows neither OV
// nor GBK nor deflated files; those are checked by decoding them.
func TestDciodvfyFindsNoFaultInSyntheticStudies(t *testing.T) {
	t.Parallel()
	tool := harness.Tool(t, "dciodvfy", "dicom3tools")
	type variant struct {
		name string
		kind synth.Kind
		o    synth.Options
	}
	var all []variant
	for _, k := range synth.Kinds() {
		all = append(all, variant{k.String(), k, synth.Options{Seed: 3}})
		all = append(all, variant{k.String() + " implicit", k, synth.Options{Seed: 4, TransferSyntax: uid.ImplicitVRLittleEndian}})
	}
	for _, ts := range []string{uid.RLELossless, uid.JPEGBaseline8Bit} {
		all = append(all, variant{"US " + uid.Name(ts), synth.US, synth.Options{TransferSyntax: ts}})
	}
	all = append(all, variant{"CT big endian", synth.CT, synth.Options{TransferSyntax: uid.ExplicitVRBigEndian}},
		variant{"CT RLE", synth.CT, synth.Options{TransferSyntax: uid.RLELossless}})
	for _, p := range synth.Patients() {
		if !slices.Contains(p.CharacterSet, "GBK") {
			all = append(all, variant{p.Script, synth.CT, synth.Options{Patient: p, Rows: 32, Columns: 32, Images: 1, Series: 1}})
		}
	}
	dir := t.TempDir()
	for _, v := range all {
		i := 0
		for f := range synth.Study(v.kind, v.o) {
			if i++; i > 2 {
				break
			}
			path := filepath.Join(dir, fmt.Sprintf("%s-%d.dcm", strings.ReplaceAll(v.name, "/", "_"), i))
			if err := os.WriteFile(path, synth.Bytes(f), 0o600); err != nil {
				t.Fatal(err)
			}
			out, code := harness.Exec(t, 30*time.Second, nil, tool, path)
			if code != 0 || strings.Contains(out, "Error") {
				t.Errorf("%s: exit code %d\n%s", v.name, code, out)
			}
		}
	}
}
