package posture

import (
	"strings"
	"testing"

	"collimator/internal/inventory"
)

func TestAListIsReadByWhatItLooksLike(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		text   string
		source inventory.Source
	}{
		"a register":             {"Name,Vendor,Product\nCT room 1,GEHC,Optima\n", inventory.CSV},
		"a register with a mark": {"\xEF\xBB\xBFName,Vendor,Product\nCT room 1,GEHC,Optima\n", inventory.CSV},
		"the XML of nmap":        {`<?xml version="1.0"?><nmaprun></nmaprun>`, inventory.Nmap},
		"the result of a scan":   {`{"sentence":"1 host answers","hosts":[{"address":"10.0.0.1"}]}`, inventory.Scan},
	} {
		l, err := ReadList(strings.NewReader(tc.text))
		if err != nil || l.Source != tc.source {
			t.Errorf("%s: %+v, %v", name, l, err)
		}
	}
	if _, err := ReadList(strings.NewReader("")); err == nil {
		t.Error("an empty file was taken for a list")
	}
}
