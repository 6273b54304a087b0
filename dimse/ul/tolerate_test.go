package ul

import (
	"bytes"
	"slices"
	"testing"
)

// TestDecorationOfPeersIsTolerated: one odd byte in what only describes the peer,
// or one context nobody knows, must not cost the association.
func TestDecorationOfPeersIsTolerated(t *testing.T) {
	t.Parallel()
	b, err := (&AssociateRQ{
		CalledAETitle: "CALLED", CallingAETitle: "CALLING",
		Contexts: []ProposedContext{
			{ID: 1, AbstractSyntax: "1.2.840.10008.1.1", TransferSyntaxes: []string{"1.2.840.10008.1.2"}},
			{ID: 3, AbstractSyntax: "ZZPHI", TransferSyntaxes: []string{"1.2.840.10008.1.2", "x"}},
		},
		User: UserInformation{MaxPDULength: 16384, ImplementationClassUID: "1.2.3", ImplementationVersionName: "AN\xC4ME_OF_17_BYTES_"},
	}).AppendTo(nil)
	if err != nil {
		t.Fatal(err)
	}
	b = bytes.Replace(b, []byte("CALLED          "), append([]byte("CALLED"), make([]byte, 10)...), 1)

	p, err := Decode(b, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	rq := p.(*AssociateRQ)
	if rq.CalledAETitle != "CALLED" || rq.User.ImplementationVersionName != "AN?ME_OF_17_BYTE" {
		t.Errorf("title %q, version %q", rq.CalledAETitle, rq.User.ImplementationVersionName)
	}
	if rq.Contexts[0].AbstractSyntax == "" || rq.Contexts[1].AbstractSyntax != "" || !slices.Equal(rq.Contexts[1].TransferSyntaxes, []string{"1.2.840.10008.1.2", ""}) {
		t.Errorf("contexts %+v", rq.Contexts)
	}
	want := []string{
		"an AE title is padded with NUL", "abstract syntax of a presentation context is not a UID", "transfer syntax of a presentation context is not a UID",
		"implementation version name is too long", "implementation version name has bytes that are not printable",
	}
	if !slices.Equal(rq.Tolerated, want) {
		t.Errorf("noted %q", rq.Tolerated)
	}
}
