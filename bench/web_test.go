//go:build bench

package bench

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"collimator/dicom/uid"
	"collimator/interop/harness"
)

// webSystem is an archive behind DICOMweb that holds the study of webStudy.
type webSystem struct {
	base   string // of the studies service
	client *http.Client
	series string // path of the series of 100 images
}

// webStudy is one study: a series of 100 CT-sized images.
func webStudy(b *testing.B, dir string) (study, series string, files []string) {
	study, series = uid.New(), uid.New()
	for i := range 100 {
		in := harness.Instance{Modality: "CT", Study: study, Series: series, Pixels: 512 * 512 * 2, Fill: byte(i)}
		files = append(files, in.Write(b, dir))
	}
	return study, series, files
}

// collimatorWeb is our server as people have it: HTTPS and a token.
func collimatorWeb(b *testing.B) *webSystem {
	b.Helper()
	s := harness.Start(b)
	password := filepath.Join(b.TempDir(), "password")
	if err := os.WriteFile(password, []byte(uid.New()), 0o600); err != nil {
		b.Fatal(err)
	}
	s.Must("init", "--data", s.Data, "--admin", "ada", "--password-file", password)
	s.Must("user", "add", "bench", "--role", "radiologist", "--data", s.Data, "--password-file", password)
	said := strings.Fields(s.Must("token", "create", "--user", "bench", "--scope", "write", "--expires", "2h", "--data", s.Data))
	token := said[len(said)-1] // alone on the last line
	pem, err := os.ReadFile(filepath.Join(s.Data, "keys", "ca.cert.pem"))
	if err != nil {
		b.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	t := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}
	b.Cleanup(t.CloseIdleConnections)
	return &webSystem{base: "https://" + s.HTTP + "/dicom-web", client: &http.Client{Transport: bearer{token, t}}}
}

type bearer struct {
	token string
	next  http.RoundTripper
}

func (t bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+t.token)
	return t.next.RoundTrip(r)
}

// orthancWeb is Orthanc with its DICOMweb plugin, HTTP and no sign-in.
func orthancWeb(b *testing.B) *webSystem {
	b.Helper()
	o := startOrthanc(b, nil)
	t := &http.Transport{}
	b.Cleanup(t.CloseIdleConnections)
	return &webSystem{base: "http://" + o.web + "/dicom-web", client: &http.Client{Transport: t}}
}

// webSystems fills each system with n studies of one image besides webStudy.
func webSystems(b *testing.B, n int, each func(b *testing.B, s *webSystem)) {
	dir := b.TempDir()
	study, series, files := webStudy(b, dir)
	for i := range n {
		files = append(files, harness.Instance{PatientID: fmt.Sprintf("ZZPHI-%d", i), Modality: "MR"}.Write(b, dir))
	}
	for _, start := range []struct {
		name  string
		start func(b *testing.B) *webSystem
	}{{"system=orthanc/transport=http", orthancWeb}, {"system=collimator/transport=https", collimatorWeb}} {
		b.Run(start.name, func(b *testing.B) {
			s := start.start(b)
			s.series = "/studies/" + study + "/series/" + series
			for at := 0; at < len(files); at += 20 {
				s.store(b, files[at:min(at+20, len(files))])
			}
			each(b, s)
		})
	}
}

// store sends files in one STOW-RS request.
func (s *webSystem) store(b *testing.B, files []string) {
	b.Helper()
	const boundary = "bench-boundary"
	var body bytes.Buffer
	for _, f := range files {
		fmt.Fprintf(&body, "--%s\r\nContent-Type: application/dicom\r\n\r\n", boundary)
		body.Write(harness.ReadBytes(b, f))
		body.WriteString("\r\n")
	}
	fmt.Fprintf(&body, "--%s--\r\n", boundary)
	rq, err := http.NewRequestWithContext(b.Context(), http.MethodPost, s.base+"/studies", &body)
	if err != nil {
		b.Fatal(err)
	}
	rq.Header.Set("Content-Type", `multipart/related; type="application/dicom"; boundary=`+boundary)
	rq.Header.Set("Accept", "application/dicom+json")
	s.do(b, rq)
}

// get reads a resource to its end and returns its length in bytes.
func (s *webSystem) get(b *testing.B, path, accept string) int64 {
	b.Helper()
	rq, err := http.NewRequestWithContext(b.Context(), http.MethodGet, s.base+path, nil)
	if err != nil {
		b.Fatal(err)
	}
	rq.Header.Set("Accept", accept)
	return s.do(b, rq)
}

func (s *webSystem) do(b *testing.B, rq *http.Request) int64 {
	rs, err := s.client.Do(rq)
	if err != nil {
		b.Error(err)
		return 0
	}
	defer rs.Body.Close()
	n, err := io.Copy(io.Discard, rs.Body)
	if err != nil || rs.StatusCode >= 300 {
		b.Errorf("%s %s: %s after %d bytes: %v", rq.Method, rq.URL.Path, rs.Status, n, err)
	}
	return n
}

const multipartDICOM = `multipart/related; type="application/dicom"; transfer-syntax=*`

// BenchmarkWebQuery searches among 300 studies.
func BenchmarkWebQuery(b *testing.B) {
	webSystems(b, 300, func(b *testing.B, s *webSystem) {
		for _, q := range []struct{ name, path string }{
			{"query=100-matches", "/studies?limit=100&includefield=00081030%2C00080060%2C00100030"},
			{"query=one-by-id", "/studies?00100020=ZZPHI-42"},
			{"query=100-instances", s.series + "/instances"},
		} {
			b.Run(q.name, func(b *testing.B) {
				for b.Loop() {
					s.get(b, q.path, "application/dicom+json")
				}
			})
		}
	})
}

// BenchmarkWebRetrieve reads a study of 100 images, 526 kB each.
func BenchmarkWebRetrieve(b *testing.B) {
	webSystems(b, 0, func(b *testing.B, s *webSystem) {
		study, _, _ := strings.Cut(s.series, "/series/")
		for _, clients := range []int{1, 4} {
			b.Run(fmt.Sprintf("what=study/clients=%d", clients), func(b *testing.B) {
				var total int64
				for b.Loop() {
					var wg sync.WaitGroup
					sizes := make([]int64, clients)
					for i := range clients {
						wg.Go(func() { sizes[i] = s.get(b, study, multipartDICOM) })
					}
					wg.Wait()
					for _, n := range sizes {
						total += n
					}
				}
				b.ReportMetric(float64(total)/1e6/b.Elapsed().Seconds(), "MB/s")
			})
		}
		b.Run("what=metadata/clients=1", func(b *testing.B) {
			for b.Loop() {
				s.get(b, s.series+"/metadata", "application/dicom+json")
			}
		})
	})
}

// BenchmarkWebStore stores 20 new images, 526 kB each, in one request.
func BenchmarkWebStore(b *testing.B) {
	webSystems(b, 0, func(b *testing.B, s *webSystem) {
		for b.Loop() {
			b.StopTimer()
			dir, files := b.TempDir(), []string(nil)
			for range 20 {
				files = append(files, harness.Instance{Modality: "CT", Pixels: 512 * 512 * 2}.Write(b, dir))
			}
			b.StartTimer()
			s.store(b, files)
		}
	})
}
