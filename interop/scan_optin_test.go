//go:build interop

package interop_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"collimator/dicom/dcmtktest"
	"collimator/interop/harness"
)

// qrscp starts dcmqrscp for one storage area and the peers that may call.
func (s *site) qrscp(name, hosts, peers string) string {
	s.t.Helper()
	address := harness.FreeAddress(s.t)
	config := fmt.Sprintf("NetworkTCPPort = %d\nMaxPDUSize = 16384\nMaxAssociations = 16\nHostTable BEGIN\n%sHostTable END\nVendorTable BEGIN\nVendorTable END\nAETable BEGIN\nQRSCP %s RW (200,1024mb) %s\nAETable END\n", portOf(address), hosts, s.path(name), peers)
	harness.Background(s.t, address, dcmtktest.Find(s.t, "dcmqrscp"), "-c", s.write(filepath.Join(s.dir, name+".cfg"), []byte(config)))
	return address
}

// checks scans a target and gives the checks that were found above information.
func (s *site) checks(code int, args ...string) []string {
	s.t.Helper()
	out, got := harness.Run(s.t, append([]string{"scan", "-o", "json", "--timeout", "3s"}, args...)...)
	if got != code {
		s.t.Fatalf("%v: exit code %d, want %d\n%.2000s", args, got, code, out)
	}
	if strings.Contains(out, harness.Marker) {
		s.t.Errorf("%v: the output holds patient data", args)
	}
	var result scanned
	if code != 0 {
		return nil
	}
	if err := json.Unmarshal([]byte(out), &result); err != nil {
		s.t.Fatal(err)
	}
	var list []string
	for _, h := range result.Hosts {
		for _, i := range h.Issues {
			word := i.Check
			if i.Possible {
				word += "?"
			}
			list = append(list, word)
		}
	}
	return list
}

// stored counts the files below a directory.
func stored(t *testing.T, dir string) (n int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && d.Name() != "index.dat" {
			n++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

const consent = "--consent=confirmed by A. Tester on 2026-11-20"

func TestOptInChecksOfAssociationsAtRealPeers(t *testing.T) {
	s := newSite(t)
	address := s.qrscp("open", "", "ANY")
	s.store("QRSCP", address)
	s.relay("127.0.13.1:104", address)
	relay := s.relays["127.0.13.1:104"]
	plain := s.checks(0, "127.0.13.1:104", "--called-aet", "QRSCP")
	for _, no := range []string{"DIM-002", "DIM-005", "DIM-006", "ASC-003", "ASC-007"} {
		if slices.ContainsFunc(plain, func(c string) bool { return strings.HasPrefix(c, no) }) {
			t.Errorf("%s without being asked for", no)
		}
	}
	if n := stored(t, filepath.Join(s.dir, "open")); n != 1 {
		t.Errorf("%d files are in the archive after a scan by default, want 1", n)
	}
	before := len(relay.Recorded())
	for _, args := range [][]string{{"--opt-in", "count-matches"}, {"--opt-in", "store-test-object"}, {"--opt-in", "count-matches", "--consent", "yes"}, {"--opt-in", "replace-test-object", consent},
		{"--opt-in", "as-device"}, {"--opt-in", "default-credentials"}, {"--opt-in", "everything"}} {
		s.checks(2, append(args, "127.0.13.1:104", "--called-aet", "QRSCP")...)
	}
	if len(relay.Recorded()) != before {
		t.Error("something was sent without consent")
	}
	got := s.checks(0, "127.0.13.1:104", "--opt-in", "guess-titles")
	if !slices.Contains(got, "ASC-003") || !slices.Contains(got, "DIM-001") {
		t.Errorf("guessing finds %v", got)
	}
	got = s.checks(0, "127.0.13.1:104", "--called-aet", "QRSCP", "--opt-in", "count-matches", consent)
	if !slices.Contains(got, "DIM-002") {
		t.Errorf("counting finds %v", got)
	}
	if stored(t, filepath.Join(s.dir, "open")) != 1 {
		t.Error("counting stored something")
	}
	got = s.checks(0, "127.0.13.1:104", "--called-aet", "QRSCP", "--opt-in", "store-test-object,replace-test-object", consent)
	if !slices.Contains(got, "DIM-005") || !slices.Contains(got, "DIM-006?") {
		t.Errorf("storing finds %v", got)
	}
	if n := stored(t, filepath.Join(s.dir, "open")); n != 2 {
		t.Errorf("%d files are in the archive after storing one test object twice, want 2", n)
	}
	out, _ := harness.Exec(t, time.Minute, nil, dcmtktest.Find(t, "findscu"), "-S", "-aec", "QRSCP", "127.0.0.1", fmt.Sprint(portOf(address)),
		"-k", "0008,0052=STUDY", "-k", "0010,0020=COLLIMATOR-TEST", "-k", "0010,0010", "-k", "0020,000D")
	if !strings.Contains(out, "COLLIMATOR^TEST") {
		t.Errorf("the test object is not labelled:\n%.1500s", out)
	}
}

func TestOptInStorageAtOrthancAndStorescp(t *testing.T) {
	s := newSite(t)
	dicom, _ := s.orthanc("store", nil)
	s.relay("127.0.13.2:104", dicom)
	address := harness.FreeAddress(t)
	harness.Background(t, address, dcmtktest.Find(t, "storescp"), "-od", s.path("plain"), fmt.Sprint(portOf(address)))
	s.relay("127.0.13.3:104", address)
	for _, target := range []string{"127.0.13.2:104", "127.0.13.3:104"} {
		got := s.checks(0, target, "--opt-in", "store-test-object,replace-test-object", consent)
		if !slices.Contains(got, "DIM-005") || !slices.Contains(got, "DIM-006?") {
			t.Errorf("%s: %v", target, got)
		}
	}
}

func TestOptInTheTitleOfADeviceAtDcmqrscp(t *testing.T) {
	s := newSite(t)
	address := s.qrscp("closed", "modality = (MODALITY1, localhost, 1104)\n", "modality")
	s.relay("127.0.13.4:104", address)
	if got := s.checks(0, "127.0.13.4:104", "--called-aet", "QRSCP"); slices.Contains(got, "ASC-002") || slices.Contains(got, "ASC-007") {
		t.Errorf("without a title: %v", got)
	}
	if got := s.checks(0, "127.0.13.4:104", "--called-aet", "QRSCP", "--opt-in", "as-device", "--as-device", "MODALITY1"); !slices.Contains(got, "ASC-007") || slices.Contains(got, "ASC-002") {
		t.Errorf("with the title of a device: %v", got)
	}
}

func TestOptInFramesAndAnonymousFilesAtFaithfulPeers(t *testing.T) {
	s := newSite(t)
	const host = "127.0.13.5"
	frame := func(c net.Conn) {
		b := make([]byte, 4096)
		n, _ := c.Read(b)
		if n == 0 || b[0] != 0x0B {
			return
		}
		answer := "MSH|^~\\&|X|Y|Z|W|20261120||ACK|1|P|2.5\rMSA|AR|1\r"
		if bytes.Equal(b[:n], []byte{0x0B, 0x1C, 0x0D}) {
			answer = ""
		}
		io.WriteString(c, "\x0B"+answer+"\x1C\r")
	}
	ftp := func(c net.Conn) {
		io.WriteString(c, "220 images\r\n")
		b := make([]byte, 512)
		for {
			n, err := c.Read(b)
			line := string(b[:n])
			switch {
			case err != nil:
				return
			case strings.HasPrefix(line, "USER anonymous"):
				io.WriteString(c, "331 send your address\r\n")
			case strings.HasPrefix(line, "PASS "):
				io.WriteString(c, "230 "+harness.Marker+"\r\n")
			case strings.HasPrefix(line, "QUIT"):
				io.WriteString(c, "221 bye\r\n")
				return
			default:
				s.t.Errorf("FTP: %q", line)
			}
		}
	}
	mllp, files := harness.FreeAddress(t), harness.FreeAddress(t)
	serve(t, mllp, frame)
	serve(t, files, ftp)
	s.relay(host+":2575", mllp)
	s.relay(host+":21", files)
	if got := s.checks(0, host+":2575,21"); !slices.Contains(got, "HL7-001?") || slices.Contains(got, "HL7-003") {
		t.Errorf("by default: %v", got)
	}
	if b := s.relays[host+":2575"].Recorded(); len(b) != 0 {
		t.Errorf("HL7 got %q by default", b)
	}
	if b := s.relays[host+":21"].Recorded(); bytes.Contains(b, []byte("USER")) {
		t.Errorf("FTP got %q by default", b)
	}
	got := s.checks(0, host+":2575,21", "--opt-in", "hl7-frame,hl7-message,anonymous-ftp")
	if !slices.Contains(got, "HL7-001") || !slices.Contains(got, "HST-002") || slices.Contains(got, "HL7-003") {
		t.Errorf("opted in: %v", got)
	}
	if b := s.relays[host+":21"].Recorded(); !bytes.Contains(b, []byte("USER anonymous")) || bytes.Contains(b, []byte("LIST")) {
		t.Errorf("FTP got %q", b)
	}
}
