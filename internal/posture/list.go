package posture

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"

	"collimator/internal/inventory"
	"collimator/internal/scan"
)

// List is what a file says about systems.
type List struct {
	Source   inventory.Source
	Systems  []inventory.Observation
	Troubles []inventory.Trouble // lines that were not understood

	scan *scan.Result // of inventory.Scan, with the issues of the systems
}

// headBytes is how much of a file tells what it is.
const headBytes = 512

// ReadList reads a file by what it looks like: a register as CSV, the XML of nmap,
// an export of the inventory, or the result of a scan as JSON.
func ReadList(f io.ReadSeeker) (*List, error) {
	head := make([]byte, headBytes)
	n, err := io.ReadFull(f, head)
	if err != nil && n == 0 {
		return nil, errors.New("the file is empty")
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}

	text := bytes.TrimLeft(bytes.TrimPrefix(head[:n], []byte("\xEF\xBB\xBF")), " \t\r\n")
	switch {
	case bytes.HasPrefix(text, []byte("<")):
		list, err := inventory.ReadNmap(f)
		return &List{Source: inventory.Nmap, Systems: list}, err
	case bytes.HasPrefix(text, []byte("{")):
		list, err := inventory.ReadJSON(f)
		if err != nil && scanOutput(f) {
			return readScan(f)
		}
		return &List{Source: inventory.JSON, Systems: list}, err
	}

	list, troubles, err := inventory.ReadCSV(f)
	return &List{Source: inventory.CSV, Systems: list, Troubles: troubles}, err
}

// OpenList is ReadList for a file by its name.
func OpenList(name string) (*List, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return ReadList(f)
}

// scanMost is the most bytes of the output of a scan.
const scanMost = 256 << 20

// scanOutput reports that a file is what 'scan -o json' writes.
func scanOutput(f io.ReadSeeker) bool {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return false
	}

	var head struct {
		Sentence *string         `json:"sentence"`
		Hosts    json.RawMessage `json:"hosts"`
	}

	err := json.NewDecoder(io.LimitReader(f, scanMost)).Decode(&head)
	return err == nil && head.Sentence != nil && len(head.Hosts) > 0
}

// readScan reads what 'scan -o json' wrote, from the beginning of f, and no more than
// scanMost bytes.
func readScan(f io.ReadSeeker) (*List, error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}

	var r scan.Result
	if err := json.NewDecoder(io.LimitReader(f, scanMost)).Decode(&r); err != nil {
		return nil, errors.New("the file is malformed; take one that 'collimator scan -o json' writes")
	}

	return &List{Source: inventory.Scan, Systems: Observations(&r), scan: &r}, nil
}

// Import takes the list into the inventory, with the issues of a scan; a dry run
// changes nothing and says what would come of it.
func (l *List) Import(ctx context.Context, to *inventory.Register, dryRun bool) (inventory.Outcome, error) {
	out, err := to.Import(ctx, l.Source, string(l.Source)+" list", l.Systems, dryRun)
	if err != nil || dryRun || l.scan == nil {
		return out, err
	}
	_, err = Replay(ctx, to, l.scan)
	return out, err
}
