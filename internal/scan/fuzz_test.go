package scan

import (
	"bytes"
	"strings"
	"testing"

	"collimator/internal/finding"
)

// FuzzAnswers gives whatever a peer may send to every decoder of answers.
func FuzzAnswers(f *testing.F) {
	h := hello{version: tls12, suites: allSuites(), tls13: true, name: "x"}
	for _, seed := range [][]byte{
		h.encode(), {22, 3, 3, 0, 4, 2, 0, 0, 0}, {21, 3, 1, 0, 2, 2, 40}, {3, 0, 0, 0, 0, 4, 0, 1, 1, 7},
		append([]byte{0, 0, 0, 39}, smbNegotiate()[4:]...), {3, 0, 0, 19, 14, 0xD0, 0, 0, 0, 0, 0, 3, 0, 8, 0, 5, 0, 0, 0}, []byte("RFB 003.008\n\x02\x01\x02"),
		snmpRequest(), []byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]"), []byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffff\r\n"),
		[]byte("SSH-2.0-x\r\n\x00\x00\x00\x10\x04\x14"), []byte("\x4A\x00\x00\x00\x0A8.0\x00"), []byte("@RSYNCD: 31.0\nmod\tx\n"), rmcpPing(), mongoHello(),
		[]byte("\x0bMSH|^~\\&|\rMSA|AA|1\r\x1c\r"), {0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		readServer(bytes.NewReader(b))
		readAnswer(bytes.NewReader(b))
		(&commandReader{r: bytes.NewReader(b)}).next()
		if a, ok := readWeb(bytes.NewReader(b), webRequest{method: "GET", path: "/"}); ok {
			if len(a.body) > maxBody {
				t.Fatalf("%d bytes of body", len(a.body))
			}
			listingMarks(a.body)
			w := &webProbe{door: door{v: &visit{facts: &finding.Facts{}}}, s: &finding.Service{}, w: &finding.Web{Pages: map[string]*finding.Page{}}}
			w.readRoot(a)
			printableFact(t, w.w.Server, w.w.Realm, w.w.Location, w.w.Auth, a.page.Kind)
		}
		h := &finding.HostFacts{}
		for _, decode := range []func([]byte, *finding.HostFacts){decodeSMB, decodeRDP, decodeMySQL, decodePostgreSQL, decodeTDS, decodeMongo, decodeRedis} {
			decode(b, h)
		}
		c := &scripted{r: bytes.NewReader(b)}
		sshGreeting(c, h)
		vncGreeting(c, h)
		rsyncModules(&scripted{r: bytes.NewReader(b)}, h)
		(&visit{opt: &Options{}}).ftp(&scripted{r: bytes.NewReader(b)}, h)
		text, _ := decodeSNMP(b)
		decodeRMCP(b)
		decodeVNC(b)
		decodeKex(b)
		countExports(decodeRPC(b))
		rpc(&scripted{r: bytes.NewReader(b)}, 1, 2, 3, nil)
		isFrame(b)
		printableFact(t, h.Banner, text, acknowledgement(b))
		readState(bytes.NewReader(b), "x")
	})
}

func printableFact(t *testing.T, list ...string) {
	t.Helper()
	for _, s := range list {
		if len(s) > 140 || strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r > 0x7E }) {
			t.Fatalf("a fact is not bounded and printable: %q", s)
		}
	}
}

// scripted answers with what it was given, whatever is written.
type scripted struct{ r *bytes.Reader }

func (s *scripted) Read(b []byte) (int, error)  { return s.r.Read(b) }
func (s *scripted) Write(b []byte) (int, error) { return len(b), nil }
