package fetch

import (
	"errors"
	"testing"

	"collimator/dicom/tag"
	"collimator/dimse"
	"collimator/internal/fault"
	"collimator/internal/sender"
)

func TestAQueryAsksForWhatItsLevelShowsAndForTheKeys(t *testing.T) {
	t.Parallel()
	keys, err := Query{Level: "study", Keys: []string{"PatientName=ZZPHI*", "AccessionNumber"}}.Identifier()
	if err != nil {
		t.Fatal(err)
	}
	if keys.Text(tag.QueryRetrieveLevel) != "STUDY" || keys.Text(tag.PatientName) != "ZZPHI*" {
		t.Error("level and key are not in the identifier")
	}
	asked := 0
	for el := range keys.All() {
		if el.Tag == tag.AccessionNumber || el.Tag == tag.StudyInstanceUID {
			asked++
		}
	}
	if asked != 2 {
		t.Errorf("%d of the two keys without a value are asked for", asked)
	}

	for _, key := range []string{"NoSuchElement=1", "Rows=many"} {
		if _, err := (Query{Level: "study", Keys: []string{key}}).Identifier(); fault.EndingOf(err) != fault.Misused {
			t.Errorf("%s: %v", key, err)
		}
	}
}

func TestARetrievalThatBroughtSomeEndsPartly(t *testing.T) {
	t.Parallel()
	p := &sender.Peer{Address: "host:104"}
	refused := &dimse.StatusError{Status: dimse.Status{Code: 0xA700}}
	for name, c := range map[string]struct {
		r    Result
		want fault.Ending
	}{
		"refused at once":       {Result{Err: refused}, fault.Refused},
		"refused after some":    {Result{Err: refused, Written: 2}, fault.Partly},
		"broken off after some": {Result{Err: errors.New("reset"), Written: 2}, fault.Partly},
		"another count":         {Result{Written: 2, Sent: 3, Counted: true}, fault.Partly},
		"nothing":               {Result{}, fault.Failed},
	} {
		if err := c.r.Verdict(t.Context(), p); err == nil || fault.EndingOf(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := (Result{Written: 2, Sent: 2, Counted: true}).Verdict(t.Context(), p); err != nil {
		t.Errorf("all of it: %v", err)
	}

	some := Moved{RetrieveResult: dimse.RetrieveResult{SubOperations: dimse.SubOperations{Completed: 1, Warning: 1, Failed: 1}, Counted: true}}
	if err := some.Verdict(t.Context(), p); some.Moved() != 2 || fault.EndingOf(err) != fault.Partly {
		t.Errorf("%d moved: %v", some.Moved(), err)
	}
}
