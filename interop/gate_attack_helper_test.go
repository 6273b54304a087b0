//go:build interop

package interop_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"collimator/dicom"
	"collimator/dicom/dcmtktest"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/synth"
	"collimator/interop/harness"
)

// The victims: software of Debian 12 that takes associations from everybody.
const (
	qrscp    = "QRPACS" // dcmqrscp
	storescp = "STPACS" // storescp, one association at a time
	orthanc  = "ORPACS"
	wlmscpfs = "WLPACS"
)

// victim is a system that is attacked. Its AE title is its kind.
type victim struct {
	t       *testing.T
	kind    string
	address string
	area    string // where it keeps what it is sent, or has its worklists; nothing else writes beside it
	rest    string // URL of Orthanc
	cmd     *exec.Cmd
	ended   chan struct{}
	output  *harness.Buffer
}

// newVictim runs one until the test ends.
func newVictim(t *testing.T, kind string, flags ...string) *victim {
	t.Helper()
	return startVictim(t, kind, harness.FreeAddress(t), nil, flags...)
}

// startVictim is newVictim at an address. Hosts are AE titles that it knows, and where.
func startVictim(t *testing.T, kind, address string, hosts map[string]string, flags ...string) *victim {
	t.Helper()
	v := &victim{t: t, kind: kind, address: address, area: filepath.Join(t.TempDir(), "area"), ended: make(chan struct{}), output: &harness.Buffer{}}
	if err := os.Mkdir(v.area, 0o700); err != nil {
		t.Fatal(err)
	}
	v.cmd = v.command(hosts, flags)
	v.cmd.Stdout, v.cmd.Stderr = v.output, v.output
	v.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // it has a process for each association
	if err := v.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = v.cmd.Wait()
		close(v.ended)
	}()
	t.Cleanup(func() {
		_ = syscall.Kill(-v.cmd.Process.Pid, syscall.SIGKILL)
		<-v.ended
	})
	if !harness.WaitListening(v.address, 30*time.Second) {
		t.Fatalf("%s does not listen:\n%s", kind, v.output.String())
	}
	return v
}

// command is the program with its settings.
func (v *victim) command(hosts map[string]string, flags []string) *exec.Cmd {
	v.t.Helper()
	_, port, _ := strings.Cut(v.address, ":")
	switch v.kind {
	case qrscp:
		return exec.Command(dcmtktest.Find(v.t, "dcmqrscp"), append([]string{"-v", "-c", v.qrConfig(port, hosts)}, flags...)...)
	case storescp:
		return exec.Command(dcmtktest.Find(v.t, "storescp"), append(append([]string{"-v", "-od", v.area, "-aet", v.kind, "+xa"}, flags...), port)...)
	case wlmscpfs:
		worklists(v.t, v.area)
		return exec.Command(dcmtktest.Find(v.t, "wlmscpfs"), append(append([]string{"-v", "-dfp", v.area, "-dfr"}, flags...), port)...)
	}
	known := maps.Clone(hosts)
	for _, title := range flags { // of Orthanc: who else it knows
		if known == nil {
			known = map[string]string{}
		}
		known[title] = "127.0.0.1:9"
	}
	return exec.Command(harness.Tool(v.t, "Orthanc", "orthanc"), v.orthancConfig(known))
}

// qrConfig has one storage area that takes everybody.
func (v *victim) qrConfig(port string, hosts map[string]string) string {
	v.t.Helper()
	var table strings.Builder
	for title, at := range hosts {
		host, port, _ := strings.Cut(at, ":")
		fmt.Fprintf(&table, "%s = (%s, %s, %s)\n", strings.ToLower(title), title, host, port)
	}
	config := fmt.Sprintf("NetworkTCPPort = %s\nMaxPDUSize = 16384\nMaxAssociations = 16\nHostTable BEGIN\n%sHostTable END\n"+
		"VendorTable BEGIN\nVendorTable END\nAETable BEGIN\n%s %s RW (500,1024mb) ANY\nAETable END\n", port, table.String(), v.kind, v.area)
	file := filepath.Join(v.t.TempDir(), "dcmqrscp.cfg")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		v.t.Fatal(err)
	}
	return file
}

// orthancConfig is what Orthanc comes with, and the hosts.
func (v *victim) orthancConfig(hosts map[string]string) string {
	v.t.Helper()
	web := harness.FreeAddress(v.t)
	v.rest = "http://" + web
	modalities := map[string]any{}
	for title, at := range hosts {
		modalities[title] = map[string]any{"AET": title, "Host": "127.0.0.1", "Port": portOf(at), "AllowStorageCommitment": true}
	}
	b, err := json.Marshal(map[string]any{
		"Name": "victim", "StorageDirectory": v.area, "IndexDirectory": v.area, "DicomAet": v.kind, "DicomPort": portOf(v.address),
		"HttpPort": portOf(web), "DicomModalities": modalities, "Plugins": []string{},
	})
	if err != nil {
		v.t.Fatal(err)
	}
	file := filepath.Join(v.t.TempDir(), "orthanc.json")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		v.t.Fatal(err)
	}
	return file
}

// get asks Orthanc over REST.
func (v *victim) get(path string) []byte {
	v.t.Helper()
	o := &archiveOf{t: v.t, rest: v.rest}
	return o.call("GET", path, nil)
}

// alive reports that the process has not ended.
func (v *victim) alive() bool {
	select {
	case <-v.ended:
		return false
	default:
		return true
	}
}

// dies waits until the process ends.
func (v *victim) dies() bool {
	select {
	case <-v.ended:
		return true
	case <-time.After(20 * time.Second):
		return false
	}
}

// peak is the most memory that the process had, in MiB.
func (v *victim) peak() (mib int64) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", v.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for _, line := range strings.Split(string(b), "\n") {
		_, _ = fmt.Sscanf(line, "VmHWM: %d kB", &mib)
	}
	return mib >> 10
}

// kept is the data sets that the victim has as files.
func (v *victim) kept() (all []*dicom.DataSet) {
	v.t.Helper()
	for _, path := range harness.Files(v.t, v.area) {
		b, err := os.ReadFile(path)
		if err != nil || len(b) < 132 || string(b[128:132]) != "DICM" {
			continue
		}
		if f, err := dicom.ReadFile(bytes.NewReader(b), dicom.DecodeOptions{}); err == nil || f.DataSet != nil {
			all = append(all, f.DataSet)
		}
	}
	return all
}

// holds reports that bytes stand in a file of the victim.
func (v *victim) holds(b []byte) bool {
	v.t.Helper()
	for _, path := range harness.Files(v.t, v.area) {
		if content, err := os.ReadFile(path); err == nil && bytes.Contains(content, b) {
			return true
		}
	}
	return false
}

// target is where an attack goes: to a victim itself, or through the gate.
type target struct {
	t       *testing.T
	address string
	called  string
	calling string
	keys    *tls.Config // nil: without TLS
	from    string      // IP address; empty: any
}

// itself is the victim without a gate, for somebody whom nobody registered.
func (v *victim) itself() *target {
	return &target{t: v.t, address: v.address, called: v.kind, calling: "STRANGER"}
}

// as is a target for another caller.
func (to *target) as(calling string) *target {
	other := *to
	other.calling = calling
	return &other
}

// to is a target for another called AE title.
func (to *target) to(called string) *target {
	other := *to
	other.called = called
	return &other
}

// patience is how long somebody waits for an answer before the service counts as blocked.
const patience = 2 * time.Second

// connect opens a TCP connection.
func (to *target) connect() net.Conn {
	to.t.Helper()
	d := net.Dialer{Timeout: 5 * time.Second}
	if to.from != "" {
		d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(to.from)}
	}
	c, err := d.Dial("tcp", to.address)
	if err != nil {
		to.t.Fatal(err)
	}
	to.t.Cleanup(func() { c.Close() })
	return c
}

// channel opens a connection, over TLS where that is due.
func (to *target) channel() net.Conn {
	to.t.Helper()
	c := to.connect()
	if to.keys == nil {
		return c
	}
	secured := tls.Client(c, to.keys)
	if err := secured.Handshake(); err != nil {
		to.t.Fatal(err)
	}
	return secured
}

// associate opens an association by hand; nil where it is not accepted in time.
func (to *target) associate() net.Conn {
	to.t.Helper()
	c := to.channel()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := c.Write(synth.NewRequest(to.calling, to.called).Bytes()); err != nil {
		return nil
	}
	if p, err := readPDU(c); err != nil || p.Type() != ul.TypeAssociateAC {
		return nil
	}
	c.SetDeadline(time.Time{})
	return c
}

// dial asks for an association.
func (to *target) dial(ctx context.Context, cfg dimse.Config) (*dimse.Association, error) {
	cfg.TLSConfig = to.keys
	cfg.CallingAETitle = to.calling
	cfg.CalledAETitle = to.called
	d := net.Dialer{}
	if to.from != "" {
		d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(to.from)}
	}
	c, err := d.DialContext(ctx, "tcp", to.address)
	if err != nil {
		return nil, err
	}
	return dimse.Open(ctx, c, cfg)
}

// open is an association with contexts.
func (to *target) open(contexts ...ul.ProposedContext) *dimse.Association {
	to.t.Helper()
	a, err := to.dial(to.t.Context(), dimse.Config{Contexts: contexts})
	if err != nil {
		to.t.Fatalf("%s to %s: %v", to.calling, to.called, err)
	}
	to.t.Cleanup(a.Abort)
	return a
}

// serves reports that a C-ECHO is answered within a time.
func (to *target) serves(within time.Duration) bool {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	a, err := to.dial(ctx, dimse.Config{Contexts: dimse.Propose([]string{uid.Verification}, []string{uid.ImplicitVRLittleEndian}, false)})
	if err != nil {
		return false
	}
	defer a.Abort()
	return a.Echo(ctx) == nil
}

// store sends a data set and gives the status; an error is an association that ended or did
// not answer in time.
func (to *target) store(class, instance, ts string, data io.Reader) (dimse.StatusCode, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 40*time.Second)
	defer cancel()
	a, err := to.dial(ctx, dimse.Config{Contexts: dimse.Propose([]string{class}, []string{ts}, false)})
	if err != nil {
		return 0, err
	}
	defer a.Abort()
	status, err := a.Store(ctx, dimse.StoreRequest{SOPClassUID: class, SOPInstanceUID: instance, TransferSyntax: ts, Data: &even{r: data}})
	if refused, ok := errors.AsType[*dimse.StatusError](err); ok {
		return refused.Status.Code, nil
	}
	return status.Code, err
}

// storeHostile sends what synth made.
func (to *target) storeHostile(d synth.HostileDataSet) (dimse.StatusCode, error) {
	return to.store(d.Instance.SOPClassUID, d.Instance.SOPInstanceUID, d.TransferSyntax, d.Open())
}

// put stores an image that is not hostile.
func (to *target) put(ds *dicom.DataSet) dimse.StatusCode {
	to.t.Helper()
	var b bytes.Buffer
	if err := dicom.Encode(&b, ds, uid.ExplicitVRLittleEndian); err != nil {
		to.t.Fatal(err)
	}
	code, err := to.store(ds.Text(tag.SOPClassUID), ds.Text(tag.SOPInstanceUID), uid.ExplicitVRLittleEndian, &b)
	if err != nil {
		to.t.Fatalf("%s to %s: %v", to.calling, to.called, err)
	}
	return code
}

// serveMux runs an AE that takes everybody at an address until the test ends.
func serveMux(t *testing.T, address string, mux *dimse.Mux) {
	t.Helper()
	server := &dimse.Server{Mux: mux, Admit: func(_ context.Context, rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
		return dimse.Negotiate(rq, dimse.Support{TransferSyntaxes: func(string) []string { return uid.NativeSyntaxes() }}), nil
	}}
	ln, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = server.Serve(ctx, ln) })
	t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
}
