//go:build interop

package interop_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/interop/harness"
)

// space is a network namespace: a machine of its own on the network of the test.
type space struct {
	t             *testing.T
	name, address string
}

// Addresses of the network between the namespaces. callers know the gate under a virtual one.
const (
	pairNet     = "10.231.77."
	pairVirtual = pairNet + "100"
)

// network makes a network with machines, which end with the test. It needs root.
func network(t *testing.T, hosts ...string) []space {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("left out: network namespaces need root")
	}
	ip := harness.Tool(t, "ip", "iproute2")
	must := func(args ...string) {
		t.Helper()
		if out, err := exec.Command(ip, args...).CombinedOutput(); err != nil {
			if strings.Contains(string(out), "not permitted") || errors.Is(err, fs.ErrPermission) {
				t.Skipf("left out: no network namespaces may be made here: %s", out)
			}
			t.Fatalf("ip %v: %v: %s", args, err, out)
		}
	}

	prefix := fmt.Sprintf("pair%d", os.Getpid())
	hub := prefix + "hub"
	add := func(name string) {
		must("netns", "add", name)
		t.Cleanup(func() { _ = exec.Command(ip, "netns", "del", name).Run() })
		must("-n", name, "link", "set", "lo", "up")
	}
	add(hub)
	must("-n", hub, "link", "add", "br0", "type", "bridge")
	must("-n", hub, "link", "set", "br0", "up")

	var list []space
	for i, host := range hosts {
		s := space{t, prefix + host, fmt.Sprint(pairNet, i+1)}
		add(s.name)
		port := fmt.Sprint("port", i)
		must("-n", hub, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", s.name)
		must("-n", hub, "link", "set", port, "master", "br0", "up")
		must("-n", s.name, "addr", "add", s.address+"/24", "dev", "eth0")
		must("-n", s.name, "link", "set", "eth0", "up")
		list = append(list, s)
	}
	return list
}

// ip changes the network of a machine.
func (s space) ip(args ...string) {
	s.t.Helper()
	if out, err := exec.Command("ip", append([]string{"-n", s.name}, args...)...).CombinedOutput(); err != nil {
		s.t.Fatalf("ip %v: %v: %s", args, err, out)
	}
}

// inside is a command on a machine.
func (s space) inside(args ...string) []string {
	return append([]string{"netns", "exec", s.name}, args...)
}

// run runs a command of ours on a machine to its end.
func (s space) run(args ...string) (out string, code int) {
	s.t.Helper()
	return harness.Exec(s.t, time.Minute, nil, "ip", s.inside(append([]string{harness.Binary(s.t)}, args...)...)...)
}

func (s space) must(args ...string) {
	s.t.Helper()
	if out, code := s.run(args...); code != 0 {
		s.t.Fatalf("%v: exit code %d: %.2000s", args, code, out)
	}
}

// serve runs something on a machine until the test ends, or until it is killed.
func (s space) serve(args ...string) *exec.Cmd {
	s.t.Helper()
	cmd := exec.Command("ip", s.inside(args...)...)
	var out harness.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.WaitDelay = time.Second // its children have the pipe as well
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if s.t.Failed() {
			s.t.Logf("%v on %s:\n%.4000s", args[:2], s.name, out.String())
		}
	})
	return cmd
}

// until tries a command of ours until it succeeds.
func (s space) until(most time.Duration, args ...string) {
	s.t.Helper()
	out, code := "", 0
	for end := time.Now().Add(most); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if out, code = s.run(args...); code == 0 {
			return
		}
	}
	s.t.Fatalf("%v: exit code %d: %.2000s", args, code, out)
}

// Two gates have one configuration, and callers know one address, which moves to the second when the
// first is gone. What the first let through the second holds against what the system behind has.
func TestASecondGateTakesTheVirtualAddressOver(t *testing.T) {
	t.Parallel()
	machines := network(t, "first", "second", "modality", "pacs")
	first, second, modality, pacs := machines[0], machines[1], machines[2], machines[3]
	dir := t.TempDir()
	data := func(name string) string { return filepath.Join(dir, name) }

	area := data("area")
	if err := os.MkdirAll(area, 0o700); err != nil {
		t.Fatal(err)
	}
	v := &victim{t: t, kind: qrscp, area: area}
	pacs.serve(harness.Tool(t, "dcmqrscp", "dcmtk"), "-c", v.qrConfig("11112", nil))

	password := data("password")
	if err := os.WriteFile(password, []byte("correct horse battery\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	first.must("init", "--data", data("one"), "--admin", "ada", "--password-file", password)
	settings := fmt.Sprintf("hosts: [%s]\nonly: gate\ndicom: 0.0.0.0:2762\nhttp: \"\"\n", pairVirtual)
	if err := os.WriteFile(filepath.Join(data("one"), "collimator.yaml"), []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	first.must("device", "add", "CT1", "--data", data("one"), "--out", data("ct1"), "--allow", "echo,store", "--address", modality.address)
	first.must("gate", "add", "PACS", "--protect", qrscp+"@"+pacs.address+":11112", "--as", witness, "--allow", "CT1:echo,store", "--data", data("one"), "--no-check")
	first.must("recovery-key", "--data", data("one"), "--out", data("recovery.key"))
	first.must("backup", data("backup"), "--data", data("one"))
	second.must("restore", data("backup"), "--data", data("two"), "--recovery", data("recovery.key"))

	first.ip("addr", "add", pairVirtual+"/24", "dev", "eth0")
	serving := first.serve(harness.Binary(t), "serve", "--data", data("one"))
	second.serve(harness.Binary(t), "serve", "--data", data("two"))
	peer := "PACS@" + pairVirtual + ":2762"
	modality.until(time.Minute, "echo", peer, "--as", data("ct1"))

	study := uid.New()
	image := harness.Instance{Study: study, Fill: 1}.DataSet(t)
	send := func(what string) (string, int) {
		t.Helper()
		if err := image.SetText(tag.StudyDescription, what); err != nil {
			t.Fatal(err)
		}
		return modality.run("send", peer, "--as", data("ct1"), harness.WriteFile(t, t.TempDir(), image))
	}
	if out, code := send("true"); code != 0 {
		t.Fatalf("by the first: %d: %s", code, out)
	}

	// The first dies; its address moves, as keepalived moves it.
	_ = serving.Process.Kill()
	first.ip("link", "set", "eth0", "down")
	second.ip("addr", "add", pairVirtual+"/24", "dev", "eth0")
	modality.ip("neigh", "flush", "all")
	modality.until(time.Minute, "echo", peer, "--as", data("ct1"))
	if out, code := send("forged"); code == 0 || !strings.Contains(out, "held: other content") {
		t.Errorf("another content under a UID that the first let through: %d: %s", code, out)
	}
	if out, code := send("true"); code != 0 {
		t.Errorf("the same again: %d: %s", code, out)
	}
	image = harness.Instance{Study: study, Fill: 2}.DataSet(t)
	if out, code := send("one more"); code != 0 {
		t.Errorf("one more: %d: %s", code, out)
	}
	if n := len(v.kept()); n != 2 {
		t.Errorf("%d images are behind the gates", n)
	}
}
