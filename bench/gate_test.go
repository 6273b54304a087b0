//go:build bench

package bench

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"collimator/dicom/dcmtktest"
	"collimator/dicom/uid"
	"collimator/interop/harness"
)

// relay stands in front of a PACS as a bare program would that lifts Nagle's
// algorithm and delayed acknowledgements: what a gate costs is to be held against it.
func relay(b *testing.B, to string) string {
	b.Helper()
	return relayTo(b, func() (net.Conn, error) { return net.Dial("tcp", to) })
}

func relayTo(b *testing.B, dial func() (net.Conn, error)) string {
	b.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	relayOf(b, ln, dial)
	return ln.Addr().String()
}

// relayOf carries what comes to a listener until the benchmark ends.
func relayOf(b *testing.B, ln net.Listener, dial func() (net.Conn, error)) {
	b.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			s, err := dial()
			if err != nil {
				c.Close()
				continue
			}
			go carry(s, c)
			go carry(c, s)
		}
	}()
}

// securedRelay is the same with TLS in front: what TLS alone costs.
func securedRelay(b *testing.B, to string) system {
	b.Helper()
	pair, files := selfSigned(b)
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}})
	if err != nil {
		b.Fatal(err)
	}
	relayOf(b, ln, func() (net.Conn, error) { return net.Dial("tcp", to) })
	return system{"relay/tls", "ORTHANC", ln.Addr().String(), []string{"+tls", files.key, files.cert, "+cf", files.cert}, 0}
}

// pemFiles are those of a key and its certificate.
type pemFiles struct{ key, cert string }

func selfSigned(b *testing.B) (tls.Certificate, pemFiles) {
	b.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		b.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		b.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	files := pemFiles{filepath.Join(dir, "key.pem"), filepath.Join(dir, "cert.pem")}
	for name, block := range map[string]*pem.Block{files.key: {Type: "PRIVATE KEY", Bytes: secret}, files.cert: {Type: "CERTIFICATE", Bytes: der}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, files
}

// carry copies one direction, and acknowledges at once what it read.
func carry(to, from net.Conn) {
	defer to.(interface{ CloseWrite() error }).CloseWrite()
	of := from
	if t, secured := from.(*tls.Conn); secured {
		of = t.NetConn()
	}
	raw, err := of.(*net.TCPConn).SyscallConn()
	if err != nil {
		return
	}
	buffer := make([]byte, 256<<10)
	for {
		n, err := from.Read(buffer)
		_ = raw.Control(func(fd uintptr) { _ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_QUICKACK, 1) })
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// gate starts our server with a route to Orthanc, with rules, inspection and audit on.
func gate(b *testing.B, plain bool, to string) system {
	b.Helper()
	data := filepath.Join(b.TempDir(), "data")
	if err := os.MkdirAll(data, 0o700); err != nil {
		b.Fatal(err)
	}
	text := fmt.Sprintf("routes:\n  - name: GATE\n    protect: ORTHANC@%s\n    rules:\n"+
		"      - {name: bench, who: [BENCH], allow: [echo, store, query, retrieve]}\n", to)
	if err := os.WriteFile(filepath.Join(data, "routes.yaml"), []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}

	s := harness.StartIn(b, data)
	if plain {
		s.Must("device", "add", "BENCH", "--data", s.Data, "--plaintext", "--address", "127.0.0.1", "--until", time.Now().AddDate(0, 0, 2).Format(time.DateOnly), "--allow", "echo")
		if !harness.WaitListening(s.Plain, 10*time.Second) {
			b.Fatal("the listener without TLS did not open")
		}
		return system{"gate/plain", "GATE", s.Plain, nil, 0}
	}
	keys := s.Device("BENCH", "--allow", "echo")
	return system{"gate/tls", "GATE", s.Address, []string{
		"+tls", filepath.Join(keys, "BENCH.key.pem"), filepath.Join(keys, "BENCH.cert.pem"), "+cf", filepath.Join(keys, "ca.pem")}, 0}
}

// ways are those to one Orthanc: itself, behind a bare relay, behind the gate.
func ways(b *testing.B, env []string, each func(b *testing.B, s system)) {
	for _, way := range []struct {
		name  string
		start func(b *testing.B, to string) system
	}{
		{"way=direct", func(_ *testing.B, to string) system { return system{"direct", "ORTHANC", to, nil, 0} }},
		{"way=relay", func(b *testing.B, to string) system { return system{"relay", "ORTHANC", relay(b, to), nil, 0} }},
		{"way=relay/transport=tls", func(b *testing.B, to string) system { return securedRelay(b, to) }},
		{"way=gate/transport=plain", func(b *testing.B, to string) system { return gate(b, true, to) }},
		{"way=gate/transport=tls", func(b *testing.B, to string) system { return gate(b, false, to) }},
	} {
		b.Run(way.name, func(b *testing.B) { each(b, way.start(b, startOrthanc(b, env).dicom)) })
	}
}

func (s system) args(more ...string) []string {
	return append(append(append([]string{"-aet", "BENCH", "-aec", s.aet}, s.tls...), s.hostPort()...), more...)
}

// BenchmarkGateStore sends new 526 kB instances with storescu.
func BenchmarkGateStore(b *testing.B) {
	storescu := dcmtktest.Find(b, "storescu")
	file := image(b)
	for _, client := range nagle {
		for _, associations := range []int{1, 4} {
			b.Run(fmt.Sprintf("%s/associations=%d", client.name, associations), func(b *testing.B) {
				ways(b, client.env, func(b *testing.B, s system) {
					const each = 40
					sent := 0
					for b.Loop() {
						var wg sync.WaitGroup
						for range associations {
							wg.Go(func() {
								if out, code := harness.Exec(b, 5*time.Minute, client.env, storescu, append([]string{"+II", "--repeat", fmt.Sprint(each - 1)}, s.args(file)...)...); code != 0 {
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

// BenchmarkGateEcho asks for a hundred C-ECHO on one association.
func BenchmarkGateEcho(b *testing.B) {
	echoscu := dcmtktest.Find(b, "echoscu")
	for _, client := range nagle {
		b.Run(client.name, func(b *testing.B) {
			ways(b, client.env, func(b *testing.B, s system) {
				const each = 100
				n := 0
				for b.Loop() {
					if out, code := harness.Exec(b, time.Minute, client.env, echoscu, append([]string{"--repeat", fmt.Sprint(each)}, s.args()...)...); code != 0 {
						b.Fatalf("echoscu: %.500s", out)
					}
					n += each
				}
				b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(n), "µs/echo")
			})
		})
	}
}

// BenchmarkGateFind asks for one study among a hundred, twenty times on one
// association.
func BenchmarkGateFind(b *testing.B) {
	storescu, findscu := dcmtktest.Find(b, "storescu"), dcmtktest.Find(b, "findscu")
	dir := b.TempDir()
	var files []string
	for i := range 100 {
		files = append(files, harness.Instance{PatientID: fmt.Sprintf("ZZPHI-%d", i)}.Write(b, dir))
	}
	for _, client := range nagle {
		b.Run(client.name, func(b *testing.B) {
			ways(b, client.env, func(b *testing.B, s system) {
				if out, code := harness.Exec(b, 5*time.Minute, nil, storescu, s.args(files...)...); code != 0 {
					b.Fatalf("storescu: %.500s", out)
				}
				const each = 20
				n := 0
				for b.Loop() {
					out, code := harness.Exec(b, time.Minute, client.env, findscu, append([]string{"-S", "--repeat", fmt.Sprint(each),
						"-k", "QueryRetrieveLevel=STUDY", "-k", "PatientID=ZZPHI-42", "-k", "StudyInstanceUID"}, s.args()...)...)
					if code != 0 {
						b.Fatalf("findscu: %.500s", out)
					}
					n += each
				}
				b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(n), "µs/query")
			})
		})
	}
}

// BenchmarkGateGet fetches a study of 20 images of 526 kB with getscu. It speaks no
// TLS: the way over TLS has a relay in front that does.
func BenchmarkGateGet(b *testing.B) {
	storescu, getscu := dcmtktest.Find(b, "storescu"), dcmtktest.Find(b, "getscu")
	const images = 20
	study, dir := uid.New(), b.TempDir()
	var files []string
	for i := range images {
		files = append(files, harness.Instance{Study: study, Modality: "CT", Pixels: 512 * 512 * 2, Fill: byte(i)}.Write(b, dir))
	}
	for _, client := range nagle {
		b.Run(client.name, func(b *testing.B) {
			ways(b, client.env, func(b *testing.B, s system) {
				if out, code := harness.Exec(b, 5*time.Minute, nil, storescu, s.args(files...)...); code != 0 {
					b.Fatalf("storescu: %.500s", out)
				}
				plain := s
				if s.tls != nil {
					plain.address = overTLS(b, s)
					plain.tls = nil
				}
				n := 0
				for b.Loop() {
					out, code := harness.Exec(b, 5*time.Minute, client.env, getscu, append([]string{"-S", "-od", b.TempDir(),
						"-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID=" + study}, plain.args()...)...)
					if code != 0 {
						b.Fatalf("getscu: %.500s", out)
					}
					n += images
				}
				b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "instances/s")
			})
		})
	}
}

// overTLS is the same relay with TLS behind it, for a tool that speaks none.
func overTLS(b *testing.B, s system) string {
	b.Helper()
	pair, err := tls.LoadX509KeyPair(s.tls[2], s.tls[1])
	if err != nil {
		b.Fatal(err)
	}
	authority, err := os.ReadFile(s.tls[4])
	if err != nil {
		b.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(authority) {
		b.Fatal("no certificate of the authority")
	}
	host, _, _ := net.SplitHostPort(s.address)
	cfg := &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: roots, ServerName: host}
	return relayTo(b, func() (net.Conn, error) { return tls.Dial("tcp", s.address, cfg) })
}
