//go:build interop

package interop_test

import (
	"encoding/json"
	"net"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"collimator/dicom/uid"
	"collimator/interop/harness"
)

// served is what a client of dcmjs-dimse got from a PACS.
type served struct {
	Echo              int
	Stored            []int
	Found, Retrieved  []string
	Completed, Failed int
}

// TestAClientInJavaScriptGetsThroughTheGateWhatItGetsWithoutIt: dcmjs-dimse is a stack of its own.
func TestAClientInJavaScriptGetsThroughTheGateWhatItGetsWithoutIt(t *testing.T) {
	t.Parallel()
	node := harness.Tool(t, "node", "nodejs")
	dir := npmInstall(t, "dcmjs-dimse")
	for name, start := range legacies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			study, files := uid.New(), []string{}
			for i := range 3 {
				files = append(files, harness.Instance{Study: study, Pixels: 4096, Fill: byte(i)}.Write(t, t.TempDir()))
			}
			ask := func(at, called, keys string) (got served) {
				t.Helper()
				host, port, _ := net.SplitHostPort(at)
				args := append([]string{filepath.Join(dir, "client.mjs"), host, port, called, study, keys}, files...)
				out, code := harness.Exec(t, time.Minute, nil, node, args...)
				if err := json.Unmarshal([]byte(out[max(0, strings.LastIndex(out, "{")):]), &got); code != 0 || err != nil {
					t.Fatalf("%s: exit code %d, %v: %.2000s", called, code, err, out)
				}
				return got
			}

			direct := harness.FreeAddress(t)
			start(t, direct, map[string]string{"WS1": "127.0.0.1:9"})
			behind := harness.FreeAddress(t)
			s := startGate(t, behind, "")
			start(t, behind, map[string]string{"WS1": s.Plain})
			keys := s.Device("WS1", harness.All...)

			without := ask(direct, "OLDPACS", "-")
			through := ask(s.Address, "PACS", keys)
			if len(without.Stored) != 3 || len(without.Found) != 1 || len(without.Retrieved) != 3 || without.Completed != 3 {
				t.Fatalf("without the gate: %+v", without)
			}
			if !reflect.DeepEqual(through, without) {
				t.Errorf("through the gate %+v\nwithout it       %+v", through, without)
			}
		})
	}
}
