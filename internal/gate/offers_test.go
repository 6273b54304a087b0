package gate

import (
	"fmt"
	"testing"

	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/dimsetest"
	"collimator/dimse/ul"
	"collimator/internal/policy"
)

func TestASystemBehindIsAskedForNothingThatIsNotUnderstood(t *testing.T) {
	t.Parallel()
	s := newSite(t, "", dimsetest.Options{})
	s.device("WS1", policy.Verbs()...)
	a, err := dimse.Dial(t.Context(), s.address, dimse.Config{
		CallingAETitle: "WS1", CalledAETitle: "PACS",
		Contexts: []ul.ProposedContext{
			{ID: 1, AbstractSyntax: ct, TransferSyntaxes: []string{"1.2.3.4.5", uid.DeflatedExplicitVRLittleEndian, native}},
			{ID: 3, AbstractSyntax: mr, TransferSyntaxes: []string{"1.2.840.113619.5.2"}},
			{ID: 5, AbstractSyntax: uid.StudyRootFind, TransferSyntaxes: []string{native}},
		},
		Extended: []ul.ExtendedNegotiation{
			{SOPClassUID: uid.StudyRootFind, Info: []byte{1, 1, 1}},
			{SOPClassUID: uid.StudyRootFind, Info: []byte{1}},
			{SOPClassUID: ct, Info: make([]byte, 60_000)},
			{SOPClassUID: mr, Info: []byte("../../x")},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Abort()

	rq := <-s.asked
	var got []string
	for _, pc := range rq.Contexts {
		got = append(got, fmt.Sprint(pc.ID, pc.TransferSyntaxes))
	}
	for _, x := range rq.Extended {
		got = append(got, fmt.Sprint(uid.Name(x.SOPClassUID), " in ", len(x.Info), " bytes"))
	}
	want := fmt.Sprint([]string{
		fmt.Sprint(1, []string{native}), fmt.Sprint(5, []string{native}), fmt.Sprint(uid.Name(uid.StudyRootFind), " in ", 3, " bytes"),
	})
	if fmt.Sprint(got) != want {
		t.Errorf("asked for %v\nwant %v", got, want)
	}
	if n := len(a.Contexts()); n != 2 {
		t.Errorf("%d contexts were accepted", n)
	}
}

func TestADeflatedDataSetGoesWhereARuleNamesItsSyntax(t *testing.T) {
	t.Parallel()
	s := newSite(t, "      - {name: deflated, who: [WS1], allow: [store], syntaxes: ["+uid.DeflatedExplicitVRLittleEndian+"]}\n", dimsetest.Options{})
	s.device("WS1", policy.Verbs()...)
	a, err := dimse.Dial(t.Context(), s.address, dimse.Config{
		CallingAETitle: "WS1", CalledAETitle: "PACS", Contexts: dimse.Propose([]string{ct}, []string{uid.DeflatedExplicitVRLittleEndian}, false),
	})
	if err == nil {
		a.Abort()
	}
	if rq := <-s.asked; len(rq.Contexts) != 1 || rq.Contexts[0].TransferSyntaxes[0] != uid.DeflatedExplicitVRLittleEndian {
		t.Errorf("asked for %+v, %v", rq.Contexts, err)
	}
}

// What is remembered of proposals is short, however long they are.
func TestWhatIsRememberedOfProposalsIsBounded(t *testing.T) {
	t.Parallel()
	s := newSite(t, "", dimsetest.Options{})
	s.device("WS1", policy.Store)
	for i := range 20 {
		contexts := dimse.Propose([]string{ct}, []string{native}, false)
		for j := range 120 {
			pc := contexts[0]
			pc.ID = uint8(2*j + 3)
			pc.TransferSyntaxes = append([]string{native}, uid.StorageSyntaxes()[:20+i]...)
			contexts = append(contexts, pc)
		}
		a, err := dimse.Dial(t.Context(), s.address, dimse.Config{CallingAETitle: "WS1", CalledAETitle: "PACS", Contexts: contexts})
		if err != nil {
			t.Fatal(err)
		}
		a.Abort()
		<-s.asked
	}
	o := s.gate.routes["PACS"].offers
	o.mu.Lock()
	defer o.mu.Unlock()
	for key := range o.known {
		if len(key) > 100 {
			t.Fatalf("a proposal takes %d bytes", len(key))
		}
	}
	if len(o.known) != 20 {
		t.Errorf("%d are remembered", len(o.known))
	}
}
