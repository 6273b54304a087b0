package kind_test

import (
	"context"
	"sync/atomic"
	"testing"

	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/dimsetest"
	"collimator/internal/gate/kind"
)

func TestAReportWaitsUntilItsRequestIsAnswered(t *testing.T) {
	t.Parallel()
	s := dimsetest.NewServer(dimsetest.Options{})
	defer s.Close()
	a, err := dimse.Dial(t.Context(), s.Address, s.Config("CT1", uid.Verification))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Abort()

	var fronts kind.Fronts
	var answered atomic.Bool
	went := make(chan struct{})
	rq := &dimse.NRequest{After: func(context.Context) { close(went) }}
	fronts.Asked("PACS", "1.2.9", a, rq)
	go func() {
		answered.Store(true)
		rq.After(t.Context())
	}()
	if got := fronts.Of(t.Context(), "PACS", "1.2.9"); got != a || !answered.Load() {
		t.Errorf("it goes on %v, answered: %v", got, answered.Load())
	}

	fronts.Asked("PACS", "1.2.10", a, &dimse.NRequest{})
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if fronts.Of(over, "PACS", "1.2.10") != a {
		t.Error("a system behind that answers when its report was taken waits for ever")
	}
	if fronts.Of(t.Context(), "OTHER", "1.2.9") != nil {
		t.Error("another route's request is taken for it")
	}

	a.Abort()
	if fronts.Of(t.Context(), "PACS", "1.2.10") != nil || fronts.Of(t.Context(), "PACS", "1.2.9") != nil {
		t.Error("an association that is over is given")
	}
	<-went // what the handler left for after the response runs, too
}
