// Package harness starts the collimator binary for tests that look at it from
// outside: on free ports of loopback, with its data in the test's directory,
// and with its output searched for patient data when it ends.
package harness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// Marker stands in every patient's name that a test uses. Found in a log, an
// error or a metric it shows a leak.
const Marker = "ZZPHI"

// AETitle is the server's.
const AETitle = "COLLIMATOR"

// Tests runs the tests of a package, for its TestMain, and removes the programs
// that they built.
func Tests(m *testing.M) (code int) {
	if file := os.Getenv(peakInto); file != "" {
		return measure(file)
	}
	defer func() {
		if dir := built.Load(); dir != nil {
			os.RemoveAll(*dir)
		}
	}()

	return m.Run()
}

// built is the directory of the programs; nil while nobody needed it.
var built atomic.Pointer[string]

// programs makes that directory.
var programs = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "collimator-test-")
	if err == nil {
		built.Store(&dir)
	}

	return dir, err
})

// binary builds the program once for all tests of a process.
var binary = sync.OnceValues(func() (string, error) { return build("collimator", ".", "./cmd/collimator") })

// build makes a program of a package. module is the directory of its module
// below the root.
func build(name, module, pkg string) (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	dir, err := programs()
	if err != nil {
		return "", err
	}

	path := filepath.Join(dir, name)
	b := exec.Command("go", "build", "-o", path, pkg)
	b.Dir = filepath.Join(root, module)
	b.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := b.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", name, err, out)
	}

	return path, nil
}

// Binary is the path of the program.
func Binary(t testing.TB) string {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// BinaryPath is the path of the program, which Binary has built.
func BinaryPath() string {
	path, _ := binary() // Binary told the error
	return path
}

// Root is the directory of the module.
func Root() (string, error) {
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", err
	}
	return filepath.Dir(strings.TrimSpace(string(out))), nil
}

// Shared is the directory with the corpus; the test is skipped, with a
// sentence, where it is not there.
func Shared(t testing.TB, what string) string {
	t.Helper()
	dir := os.Getenv("COLLIMATOR_SHARED")
	if dir == "" {
		root, err := Root()
		if err != nil {
			t.Fatal(err)
		}
		dir = filepath.Join(root, "..", "shared")
	}
	if _, err := os.Stat(filepath.Join(dir, what)); err != nil {
		t.Skipf("left out: %s is not there; set COLLIMATOR_SHARED to the directory that holds it", what)
	}
	return filepath.Join(dir, what)
}

// Tool finds a peer's program. Where it is missing the test is skipped, and
// fails with CI=true.
func Tool(t testing.TB, name, debianPackage string) string {
	t.Helper()
	for _, dir := range []string{"", "/usr/sbin/", "/usr/bin/"} {
		if path, err := exec.LookPath(dir + name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is missing; install Debian's %s", name, debianPackage)
	}
	t.Skipf("left out: %s is missing; install Debian's %s, or run 'make peers'", name, debianPackage)
	return ""
}

// FreeAddress is an address of loopback nobody listens on.
func FreeAddress(t testing.TB) string {
	t.Helper()
	for range 100 {
		// Below the ports that the kernel gives to connections, so that none of
		// these takes it before it is listened on.
		address := fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(20_000))
		if l, err := net.Listen("tcp", address); err == nil {
			l.Close()
			return address
		}
	}
	t.Fatal("no free port")
	return ""
}

// Server is a running collimator serve.
type Server struct {
	Data    string
	Address string // of the TLS listener
	Plain   string // of the listener without TLS
	HTTP    string

	t      testing.TB
	cmd    *exec.Cmd
	output *Buffer
	exited chan struct{}
}

// Start runs a server on a new data directory. It ends with the test.
func Start(t testing.TB, flags ...string) *Server {
	t.Helper()
	return StartIn(t, filepath.Join(t.TempDir(), "data"), flags...)
}

// StartIn runs a server on a data directory that may exist.
func StartIn(t testing.TB, data string, flags ...string) *Server {
	t.Helper()
	s := Launch(t, data, flags...)
	t.Cleanup(s.Stop)
	if !WaitListening(s.Address, 30*time.Second) {
		t.Fatalf("server does not listen:\n%s", s.output)
	}
	return s
}

// Launch starts a server and does not wait for it, nor end it: for one that may
// be cut off while it starts.
func Launch(t testing.TB, data string, flags ...string) *Server {
	t.Helper()
	s := &Server{Data: data, Address: FreeAddress(t), Plain: FreeAddress(t), HTTP: FreeAddress(t), t: t, output: &Buffer{}}
	args := append([]string{"serve", "--data", data, "--dicom", s.Address, "--plain-dicom", s.Plain, "--http", s.HTTP}, flags...)
	s.cmd = exec.Command(Binary(t), args...)
	s.cmd.Stdout, s.cmd.Stderr = s.output, s.output
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.exited = make(chan struct{})
	go func() { s.cmd.Wait(); close(s.exited) }()
	return s
}

// Listens waits until the server does, and reports false when it ends before.
func (s *Server) Listens(most time.Duration) bool {
	for end := time.Now().Add(most); time.Now().Before(end); {
		select {
		case <-s.exited:
			return false
		default:
		}
		if WaitListening(s.Address, 50*time.Millisecond) {
			return true
		}
	}
	return false
}

// Strike sends SIGKILL and does not wait: a process may hang in a call until
// its file system ends. Kill waits.
func (s *Server) Strike() { s.cmd.Process.Kill() }

// Exited is closed when the process has ended.
func (s *Server) Exited() <-chan struct{} { return s.exited }

// WaitListening waits until somebody accepts connections at an address.
func WaitListening(address string, most time.Duration) bool {
	for end := time.Now().Add(most); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close()
			return true
		}
	}
	return false
}

// Kill ends the server with SIGKILL.
func (s *Server) Kill() {
	s.cmd.Process.Kill()
	<-s.exited
	s.search()
}

// Stop ends the server in order and fails the test where its output holds the
// marker.
func (s *Server) Stop() {
	select {
	case <-s.exited:
		return
	default:
	}

	s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.exited:
	case <-time.After(40 * time.Second):
		s.t.Error("the server does not end after SIGTERM")
		s.cmd.Process.Kill()
		<-s.exited
	}

	s.search()
	if code := s.cmd.ProcessState.ExitCode(); code != 0 {
		s.t.Errorf("the server ended with code %d:\n%s", code, s.output)
	}
}

func (s *Server) search() {
	s.t.Helper()
	if strings.Contains(s.output.String(), Marker) {
		s.t.Error("the server's output holds patient data")
	}
	if strings.Contains(s.output.String(), "panic") {
		s.t.Errorf("the server panicked:\n%s", s.output)
	}
}

// Says waits a little for a text in the server's output, which reaches us
// through a pipe.
func (s *Server) Says(text string) bool {
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if strings.Contains(s.Output(), text) {
			return true
		}
		if time.Now().After(end) {
			return false
		}
	}
}

// Output is what the server printed up to now.
func (s *Server) Output() string { return s.output.String() }

// RSS is the resident memory of the server in bytes, and its peak.
func (s *Server) RSS(t testing.TB) (now, peak int64) {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(string(b), "\n") {
		fmt.Sscanf(line, "VmRSS: %d kB", &now)
		fmt.Sscanf(line, "VmHWM: %d kB", &peak)
	}
	return now << 10, peak << 10
}

// Peer is the server as the client commands want it named.
func (s *Server) Peer() string { return AETitle + "@" + s.Address }

// Device registers a device and returns the directory with its files.
func (s *Server) Device(aeTitle string, flags ...string) string {
	s.t.Helper()
	dir := filepath.Join(s.t.TempDir(), strings.Map(func(r rune) rune {
		if r == '/' || r == ' ' {
			return '_'
		}
		return r
	}, aeTitle))
	s.Must(append([]string{"device", "add", aeTitle, "--data", s.Data, "--out", dir}, flags...)...)
	return dir
}

// All are the flags that let a device do everything.
var All = []string{"--allow", "echo,store,query,retrieve,commit"}

// DevicesCA writes the certificate of the authority of devices into a file, for
// devices that let each other in.
func (s *Server) DevicesCA() string {
	s.t.Helper()
	path := filepath.Join(s.t.TempDir(), "devices.pem")
	if err := os.WriteFile(path, []byte(s.Must("keys", "authority", "--devices", "--data", s.Data)), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// Must runs a command of the program and fails the test when it fails.
func (s *Server) Must(args ...string) string {
	s.t.Helper()
	out, code := Run(s.t, args...)
	if code != 0 {
		s.t.Fatalf("collimator %s: exit code %d\n%s\nserver:\n%s", strings.Join(args, " "), code, tail(out), tail(s.output.String()))
	}
	return out
}

// tail is the end of a long output.
func tail(s string) string { return s[max(len(s)-2000, 0):] }

// Run runs a command of the program; the output is standard output and error.
func Run(t testing.TB, args ...string) (output string, code int) {
	t.Helper()
	return Exec(t, 2*time.Minute, nil, Binary(t), args...)
}

// Exec runs any program with a limit in time.
func Exec(t testing.TB, most time.Duration, env []string, name string, args ...string) (output string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		t.Fatalf("%s did not end within %s:\n%s", name, most, &out)
	case err != nil && !errors.As(err, &exit):
		t.Fatalf("%s: %v", name, err)
	}
	return out.String(), cmd.ProcessState.ExitCode()
}

// Buffer is a bytes.Buffer for several goroutines.
type Buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

// String is what was written up to now.
func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
