package archive

import (
	"bytes"
	"testing"

	"collimator/internal/fault"
	"collimator/internal/synth"
)

func TestDataSetThatCanBeReadTwoWaysIsRefused(t *testing.T) {
	t.Parallel()
	a := openTest(t)
	for _, h := range synth.HostileDataSets(1) {
		if h.ID != "DS-10" {
			continue
		}
		_, err := a.Ingest(t.Context(), Incoming{
			SOPClassUID: h.Instance.SOPClassUID, SOPInstanceUID: h.Instance.SOPInstanceUID, TransferSyntaxUID: h.TransferSyntax, Data: h.Open(),
		})
		if h.Harmless && err != nil || !h.Harmless && fault.Of(err) != fault.Invalid {
			t.Errorf("%s: %v", h.Name, err)
		}
	}
}

func TestOddDataSetsAreStored(t *testing.T) {
	t.Parallel()
	a := openTest(t)
	for _, odd := range synth.OddFiles(1) {
		_, err := a.Ingest(t.Context(), Incoming{TransferSyntaxUID: odd.TransferSyntax, Data: bytes.NewReader(odd.DataSet)})
		if err != nil {
			t.Errorf("%s: %v", odd.Name, err)
		}
	}
}
