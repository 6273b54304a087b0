//go:build bench

// Package bench measures whole systems side by side in one run: the archive and
// the peers that are installed, with the same unchanged clients on loopback.
package bench

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"collimator/dicom/dcmtktest"
	"collimator/interop/harness"
)

// system is an archive under test.
type system struct {
	name    string
	aet     string
	address string   // where DICOM is spoken
	tls     []string // options for DCMTK; none: without TLS
	pid     int
}

func (s system) hostPort() []string {
	host, port, _ := strings.Cut(s.address, ":")
	return []string{host, port}
}

// collimator starts our server; without TLS through the exception for one device.
func collimator(b *testing.B, plain bool) system {
	b.Helper()
	s := harness.Start(b)
	if !plain {
		keys := s.Device("BENCH", harness.All...)
		return system{"collimator/tls", harness.AETitle, s.Address, []string{
			"+tls", filepath.Join(keys, "BENCH.key.pem"), filepath.Join(keys, "BENCH.cert.pem"), "+cf", filepath.Join(keys, "ca.pem")}, 0}
	}
	s.Must(append([]string{"device", "add", "BENCH", "--data", s.Data, "--plaintext", "--address", "127.0.0.1", "--until", time.Now().AddDate(0, 0, 2).Format(time.DateOnly)}, harness.All...)...)
	if !harness.WaitListening(s.Plain, 10*time.Second) {
		b.Fatal("the listener without TLS did not open")
	}
	return system{"collimator/plain", harness.AETitle, s.Plain, nil, 0}
}

// orthanc is Orthanc over DICOM.
func orthanc(b *testing.B, env []string) system {
	return system{"orthanc/plain", "ORTHANC", startOrthanc(b, env).dicom, nil, 0}
}

// peer is where Orthanc listens.
type peer struct{ dicom, web string }

// startOrthanc starts Orthanc with its defaults (it syncs files and index to
// disk) and with DICOMweb where the plugin is installed.
func startOrthanc(b *testing.B, env []string) peer {
	b.Helper()
	dir := b.TempDir()
	dicom, web := harness.FreeAddress(b), harness.FreeAddress(b)
	port := func(a string) json.Number { _, p, _ := strings.Cut(a, ":"); return json.Number(p) }
	plugins, err := filepath.Glob("/usr/share/orthanc/plugins/libOrthancDicomWeb.so") // with a path that is not there it does not start
	if err != nil {
		b.Fatal(err)
	}
	config, err := json.Marshal(map[string]any{
		"StorageDirectory": dir, "IndexDirectory": dir, "DicomPort": port(dicom), "HttpPort": port(web), "DicomAet": "ORTHANC",
		"Plugins":              plugins,
		"DicomAlwaysAllowFind": true, "DicomAlwaysAllowGet": true, "DicomAlwaysAllowStore": true,
		"DicomModalities": map[string][]any{"bench": {"BENCH", "127.0.0.1", 104}},
	})
	if err != nil {
		b.Fatal(err)
	}
	path := filepath.Join(dir, "orthanc.json")
	if err := os.WriteFile(path, config, 0o600); err != nil {
		b.Fatal(err)
	}
	harness.Background(b, dicom, "env", append(append([]string{}, env...), harness.Tool(b, "Orthanc", "orthanc"), path)...)
	return peer{dicom, web}
}

func systems(b *testing.B, env []string, each func(b *testing.B, s system)) {
	for _, start := range []struct {
		name  string
		start func(b *testing.B) system
	}{
		{"system=orthanc/transport=plain", func(b *testing.B) system { return orthanc(b, env) }},
		{"system=collimator/transport=plain", func(b *testing.B) system { return collimator(b, true) }},
		{"system=collimator/transport=tls", func(b *testing.B) system { return collimator(b, false) }},
	} {
		b.Run(start.name, func(b *testing.B) { each(b, start.start(b)) })
	}
}

// image is a CT-sized object: 512 x 512 pixels of 16 bits.
func image(b *testing.B) string {
	return harness.Instance{Modality: "CT", Pixels: 512 * 512 * 2}.Write(b, b.TempDir())
}

// nagle says whether the software built on DCMTK, client and peer, leaves
// Nagle's algorithm on, as it does unless TCP_NODELAY is set in its environment:
// as people have it, and as a fair comparison of servers.
var nagle = []struct {
	name string
	env  []string
}{{"dcmtk=unchanged", nil}, {"dcmtk=nodelay", []string{"TCP_NODELAY=1"}}}

// BenchmarkStore sends new 526 kB instances with storescu.
func BenchmarkStore(b *testing.B) {
	storescu := dcmtktest.Find(b, "storescu")
	file := image(b)
	for _, client := range nagle {
		for _, associations := range []int{1, 4} {
			b.Run(fmt.Sprintf("%s/associations=%d", client.name, associations), func(b *testing.B) {
				systems(b, client.env, func(b *testing.B, s system) {
					const each = 40
					sent := 0
					for b.Loop() {
						var wg sync.WaitGroup
						for range associations {
							wg.Go(func() {
								args := append(append([]string{"-aet", "BENCH", "-aec", s.aet, "+II", "--repeat", fmt.Sprint(each - 1)}, s.tls...), append(s.hostPort(), file)...)
								if out, code := harness.Exec(b, 5*time.Minute, client.env, storescu, args...); code != 0 {
									b.Errorf("storescu: exit code %d: %.500s", code, out)
								}
							})
						}
						wg.Wait()
						sent += each * associations
					}
					b.ReportMetric(float64(sent)/b.Elapsed().Seconds(), "instances/s")
				})
			})
		}
	}
}

// BenchmarkFind asks for one study among a hundred, on an association of its own
// each time.
func BenchmarkFind(b *testing.B) {
	storescu, findscu := dcmtktest.Find(b, "storescu"), dcmtktest.Find(b, "findscu")
	dir := b.TempDir()
	var files []string
	for i := range 100 {
		files = append(files, harness.Instance{PatientID: fmt.Sprintf("ZZPHI-%d", i)}.Write(b, dir))
	}
	for _, client := range nagle {
		b.Run(client.name, func(b *testing.B) {
			systems(b, client.env, func(b *testing.B, s system) {
				args := append(append([]string{"-aet", "BENCH", "-aec", s.aet}, s.tls...), s.hostPort()...)
				if out, code := harness.Exec(b, 5*time.Minute, nil, storescu, append(args, files...)...); code != 0 {
					b.Fatalf("storescu: %.500s", out)
				}
				for b.Loop() {
					if out, code := harness.Exec(b, time.Minute, client.env, findscu, append(args, "-S", "-k", "QueryRetrieveLevel=STUDY", "-k", "PatientID=ZZPHI-42", "-k", "StudyInstanceUID")...); code != 0 {
						b.Fatalf("findscu: %.500s", out)
					}
				}
			})
		})
	}
}
