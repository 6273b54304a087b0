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
	"time"

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
	t := trusting(b, filepath.Join(s.Data, "keys", "ca.cert.pem"))
	return &webSystem{base: "https://" + s.HTTP + "/dicom-web", client: &http.Client{Timeout: time.Minute, Transport: bearer{token, t}}}
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
	return &webSystem{base: "http://" + o.web + "/dicom-web", client: &http.Client{Timeout: time.Minute, Transport: t}}
}

// orthancBehindNginx is Orthanc as people put it on a network: nginx ends TLS in
// front of it, with HTTP/2 for its clients.
func orthancBehindNginx(b *testing.B) *webSystem {
	b.Helper()
	o := startOrthanc(b, nil)
	dir, address := b.TempDir(), harness.FreeAddress(b)
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if out, code := harness.Exec(b, time.Minute, nil, harness.Tool(b, "openssl", "openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
		"-nodes", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2", "-keyout", key, "-out", cert); code != 0 {
		b.Fatalf("openssl: %.500s", out)
	}
	config := fmt.Sprintf(`daemon off; master_process off; pid %[1]s/pid; error_log %[1]s/log; events {}
		http { access_log off; client_max_body_size 0; client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
		server { listen %[2]s ssl http2; ssl_certificate %[3]s; ssl_certificate_key %[4]s; ssl_protocols TLSv1.3;
		location / { proxy_pass http://%[5]s; } } }`, dir, address, cert, key, o.web)
	path := filepath.Join(dir, "conf")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		b.Fatal(err)
	}
	harness.Background(b, address, harness.Tool(b, "nginx", "nginx-light"), "-c", path)
	return &webSystem{base: "https://" + address + "/dicom-web", client: &http.Client{Timeout: time.Minute, Transport: trusting(b, cert)}}
}

// trusting is a transport that knows one certificate.
func trusting(b *testing.B, path string) *http.Transport {
	b.Helper()
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(harness.ReadBytes(b, path)) {
		b.Fatalf("%s: no certificate", path)
	}
	t := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}
	b.Cleanup(t.CloseIdleConnections)
	return t
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
	}{
		{"system=orthanc/transport=http", orthancWeb},
		{"system=orthanc/transport=https", orthancBehindNginx},
		{"system=collimator/transport=https", collimatorWeb},
	} {
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
