//go:build interop

package interop_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"collimator/dicom/dcmtktest"
	"collimator/interop/harness"
)

// TestWhatNmapFindsComesIntoTheInventory imports what the real program writes.
func TestWhatNmapFindsComesIntoTheInventory(t *testing.T) {
	s := newSite(t)
	nmap := harness.Tool(t, "nmap", "nmap")
	address := harness.FreeAddress(t)
	harness.Background(t, address, dcmtktest.Find(t, "storescp"), "-od", s.path("store"), fmt.Sprint(portOf(address)))
	s.relay("127.0.14.1:104", address)
	s.nginx()
	file := filepath.Join(s.dir, "scan.xml")
	if out, code := harness.Exec(t, 2*time.Minute, nil, nmap, "-n", "-Pn", "-sT", "-p", "104,80", "-oX", file, "127.0.14.1", "127.0.10.5"); code != 0 {
		t.Fatalf("nmap: %d\n%s", code, out)
	}
	own := harness.Start(t)
	if out := own.Must("inventory", "import", "--data", own.Data, file); !strings.Contains(out, "2 systems read: 2 new") {
		t.Errorf("%s", out)
	}
	list := own.Must("inventory", "list", "--data", own.Data)
	for _, a := range []string{"127.0.14.1", "127.0.10.5", "nmap"} {
		if !strings.Contains(list, a) {
			t.Errorf("the inventory lacks %s:\n%s", a, list)
		}
	}
	show := ""
	for _, line := range strings.Split(list, "\n") { // the archive itself is an asset, too
		if id, _, _ := strings.Cut(line, " "); strings.Contains(line, "127.0.1") && strings.HasPrefix(id, "A") {
			show += own.Must("inventory", "show", "--data", own.Data, id)
		}
	}
	if !strings.Contains(show, "104") || !strings.Contains(show, "80") {
		t.Errorf("no port:\n%s", show)
	}
}
