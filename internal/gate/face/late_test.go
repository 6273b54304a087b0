package face_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dicomweb"
	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/gate/face"
)

// TestWhatComesLateIsInNobodysImage is a PACS that goes on sending what was asked for by somebody who
// has left, while the next one asks for the same.
func TestWhatComesLateIsInNobodysImage(t *testing.T) {
	t.Parallel()
	const large = 2 << 20
	filled := func(b byte) *dicom.DataSet {
		ds := image(t, "1.2.1", "1.2.1.1", "1.2.1.1.1", "P1")
		ds.Set(dicom.NewElement(tag.PixelData, dicom.OB, bytes.Repeat([]byte{b}, large)))
		for _, k := range []tag.Tag{tag.Rows, tag.Columns} {
			if err := ds.SetInt(k, 1024); err != nil {
				t.Fatal(err)
			}
		}
		if err := ds.SetText(tag.NumberOfFrames, "2"); err != nil {
			t.Fatal(err)
		}
		return ds
	}

	var calls atomic.Int32
	half, resume, gone := make(chan struct{}), make(chan struct{}), make(chan struct{})
	s := newMovingSite(t, func(to dimse.Destination) dimse.RetrieveHandler {
		return func(context.Context, *dimse.Association, *dimse.RetrieveRequest) (*dimse.RetrievePlan, dimse.Status) {
			first := calls.Add(1) == 1
			return &dimse.RetrievePlan{Perform: func(ctx context.Context, _ *dimse.Performance) dimse.RetrieveResult {
				if first {
					go func() {
						defer close(gone)
						deliver(t, to, filled(1), func() { close(half); <-resume })
					}()
					<-ctx.Done()
					return dimse.RetrieveResult{Status: dimse.Status{Code: dimse.Cancel}}
				}
				deliver(t, to, filled(2), func() { close(resume); <-gone })
				return dimse.RetrieveResult{}
			}}, dimse.Status{}
		}
	})
	s.has(filled(1))
	c := s.client("ada")

	ctx, leave := context.WithCancel(t.Context())
	left := make(chan struct{})
	go func() {
		defer close(left)
		if r, err := c.RetrieveInstance(ctx, dicomweb.Resource{StudyUID: "1.2.1", SeriesUID: "1.2.1.1", SOPInstanceUID: "1.2.1.1.1"}); err == nil {
			r.Close()
		}
	}()
	<-half
	leave()
	<-left

	status, body := s.ask(http.MethodGet, c.Token, face.Root("PACS")+"/studies/1.2.1/series/1.2.1.1/instances/1.2.1.1.1/frames/1")
	other, own := strings.Count(body, "\x01"), strings.Count(body, "\x02")
	if status != http.StatusOK || own < large/2 || other > 200 {
		t.Errorf("%d: %d bytes of the one, %d of the other", status, own, other)
	}
}

// deliver sends an image to a destination, and does something in the middle of it.
func deliver(t testing.TB, to dimse.Destination, ds *dicom.DataSet, between func()) {
	a, err := to.Dial(context.Background(), []ul.ProposedContext{{ID: 1, AbstractSyntax: uid.CTImageStorage, TransferSyntaxes: []string{uid.ExplicitVRLittleEndian}}})
	if err != nil {
		t.Error(err)
		between()
		return
	}
	defer a.Abort()
	var b bytes.Buffer
	if err := dicom.Encode(&b, ds, uid.ExplicitVRLittleEndian); err != nil {
		t.Error(err)
	}
	middle := b.Len() / 2
	_, _ = a.Store(context.Background(), dimse.StoreRequest{
		SOPClassUID: uid.CTImageStorage, SOPInstanceUID: ds.Text(tag.SOPInstanceUID), TransferSyntax: uid.ExplicitVRLittleEndian,
		Data: io.MultiReader(bytes.NewReader(b.Bytes()[:middle]), &pausing{between}, bytes.NewReader(b.Bytes()[middle:])),
	})
}

// pausing does something and has nothing.
type pausing struct{ between func() }

// Read implements io.Reader.
func (p *pausing) Read([]byte) (int, error) {
	p.between()
	return 0, io.EOF
}
