//go:build interop

package interop_test

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"collimator/internal/house/sitetest"
	"collimator/interop/harness"
)

// A vendor comes through nginx to a service behind a route, and is cut off when the
// route is closed.
func TestAVendorComesThroughNginxAndGoesWhenTheRouteIsClosed(t *testing.T) {
	t.Parallel()
	target := harness.FreeAddress(t)
	_, port, _ := strings.Cut(target, ":")
	harness.Background(t, target, harness.Tool(t, "socat", "socat"), "TCP-LISTEN:"+port+",fork,reuseaddr,bind=127.0.0.1", "EXEC:/bin/cat")
	s := startGate(t, "127.0.0.1:104", "")
	if err := os.WriteFile(filepath.Join(s.Data, "collimator.yaml"), []byte("http: "+s.HTTP+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}

	secret := vendorWithApp(t, s)
	front, pin := nginxBefore(t, s)
	out, _ := harness.Run(t, "gate", "open", "PACS", "--to", target, "--for", "acme", "--minutes", "5", "--at", front, "--pin", pin, "--data", s.Data)
	code := regexp.MustCompile(regexp.QuoteMeta(front) + `/\S{70}`).FindString(out)
	if code == "" {
		t.Fatal(out)
	}

	connect := begun(t, doorPassword+"\n"+doorCode(t, secret, 1)+"\n", "connect", code, "--as", "acme", "--listen", harness.FreeAddress(t))
	at := connect.find(t, `Point the viewer at (\S+);`)
	viewer, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	wantBack(t, viewer, 8<<20)
	another, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	wantBack(t, another, 1)

	s.Must("gate", "close", "PACS", "--data", s.Data)
	for _, conn := range []net.Conn{viewer, another} {
		conn.SetReadDeadline(time.Now().Add(5 * time.Second))
		if n, err := conn.Read(make([]byte, 1)); n > 0 || err == nil || os.IsTimeout(err) {
			t.Errorf("it goes on after the route was closed: %v", err)
		}
	}
	s.Must("gate", "reopen", "PACS", "--data", s.Data)
	told := s.Must("audit", "search", "--event", "maintenance-door", "--data", s.Data)
	for _, want := range []string{"8388608 bytes to the target, 8388608 from it", "is closed", "2 connections, 8388609 bytes to the target"} {
		if !strings.Contains(told, want) {
			t.Errorf("the trail does not say %q:\n%s", want, told)
		}
	}
	if now, _ := harness.Run(t, "gate", "doors", "--data", s.Data); !strings.Contains(now, "closed") {
		t.Errorf("it is open again with its route: %s", now)
	}
}

const doorPassword = "correct horse battery"

// vendorWithApp registers acme with an authenticator app and gives its secret.
func vendorWithApp(t *testing.T, s *harness.Server) (secret string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte(doorPassword), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, role := range map[string]string{"ada": "administrator", "acme": "vendor"} {
		s.Must("user", "add", name, "--role", role, "--password-file", file, "--data", s.Data)
	}

	app := begun(t, "", "user", "totp", "acme", "--data", s.Data)
	secret = app.find(t, `\b([A-Z2-7]{32})\b`)
	fmt.Fprintln(app.in, doorCode(t, secret, 0))
	if err := app.cmd.Wait(); err != nil {
		t.Fatal(err, app.said.String())
	}
	return secret
}

// nginxBefore ends TLS in front of the HTTPS listener, and gives its address and
// certificate.
func nginxBefore(t *testing.T, s *harness.Server) (address, cert string) {
	t.Helper()
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if out, code := harness.Exec(t, time.Minute, nil, harness.Tool(t, "openssl", "openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt",
		"ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj", "/CN=gate", "-keyout", key, "-out", cert); code != 0 {
		t.Fatal(out)
	}

	address = harness.FreeAddress(t)
	config := fmt.Sprintf(`daemon off; master_process off; pid %[1]s/pid; error_log %[1]s/log; events {}
http { access_log off; client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u;
scgi_temp_path %[1]s/s; server { listen %[2]s ssl; ssl_certificate %[3]s; ssl_certificate_key %[4]s;
location / { proxy_pass https://%[5]s; proxy_http_version 1.1; proxy_set_header Host $host;
proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $http_connection; proxy_read_timeout 8h; } } }`, dir, address, cert, key, s.HTTP)
	path := filepath.Join(dir, "conf")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	harness.Background(t, address, harness.Tool(t, "nginx", "nginx-light"), "-c", path)
	return address, cert
}

// wantBack sends bytes and wants them back.
func wantBack(t *testing.T, conn net.Conn, n int) {
	t.Helper()
	conn.SetDeadline(time.Now().Add(time.Minute))
	sent, got := make([]byte, n), make([]byte, n)
	rand.Read(sent)
	go conn.Write(sent)
	if _, err := io.ReadFull(conn, got); err != nil || !bytes.Equal(sent, got) {
		t.Fatalf("what came back is not what was sent: %v", err)
	}
}

// running is a command of the program that goes on.
type running struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	said strings.Builder
}

// begun starts a command whose standard input begins with a text; without one it stays
// open.
func begun(t *testing.T, stdin string, args ...string) *running {
	t.Helper()
	r := &running{cmd: exec.Command(harness.Binary(t), args...)}
	in, err := r.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.in, r.out, r.cmd.Stdout, r.cmd.Stderr = in, bufio.NewReader(read), write, write
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	write.Close()
	t.Cleanup(func() { r.cmd.Process.Kill(); r.cmd.Wait(); read.Close() })
	io.WriteString(in, stdin)
	return r
}

// find waits for a text in what the command says.
func (r *running) find(t *testing.T, pattern string) string {
	t.Helper()
	want := regexp.MustCompile(pattern)
	for {
		b, err := r.out.ReadByte()
		if err != nil {
			t.Fatalf("it does not say %s:\n%s", pattern, r.said.String())
		}
		r.said.WriteByte(b)
		if b != '\n' {
			continue
		}
		if m := want.FindStringSubmatch(r.said.String()); m != nil {
			return m[1]
		}
	}
}

// doorCode is what the authenticator app shows, so many steps of time from now.
func doorCode(t *testing.T, secret string, later int64) string {
	t.Helper()
	return sitetest.Code(secret, sitetest.NowStep()+later)
}
