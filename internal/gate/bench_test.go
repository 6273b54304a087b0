package gate

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"context"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/dimsetest"
	"collimator/dimse/ul"
	"collimator/internal/policy"
)

// drained is a PACS that takes everything and keeps nothing, and gives one image again
// and again.
func drained(image []byte) dimsetest.Options {
	return dimsetest.Options{Mux: func(m *dimse.Mux) {
		m.HandleStore(func(_ context.Context, _ *dimse.Association, rq *dimse.StoreRequest) dimse.Status {
			_, _ = io.Copy(io.Discard, rq.Data)
			return dimse.Status{}
		})
		m.HandleGet(func(context.Context, *dimse.Association, *dimse.RetrieveRequest) (*dimse.RetrievePlan, dimse.Status) {
			const images = 50
			return &dimse.RetrievePlan{Count: images, SubOperations: func(yield func(dimse.SubOperation) bool) {
				for i := range images {
					if !yield(dimse.SubOperation{
						SOPClassUID: ct, SOPInstanceUID: "1.2.3.1", TransferSyntaxes: []string{native}, Ref: i,
						Open: func(context.Context, []string) (io.ReadCloser, string, error) {
							return io.NopCloser(bytes.NewReader(image)), native, nil
						},
					}) {
						return
					}
				}
			}}, dimse.Status{}
		}, uid.StudyRootGet)
	}}
}

func benchImage(b *testing.B, instance string) []byte {
	b.Helper()
	ds := image(b, instance, "1.2.3", "ZZPHI-1")
	ds.Set(dicom.NewElement(tag.PixelData, dicom.OW, bytes.Repeat([]byte{7}, 512*512*2)))
	var out bytes.Buffer
	if err := dicom.Encode(&out, ds, native); err != nil {
		b.Fatal(err)
	}
	return out.Bytes()
}

// BenchmarkThrough carries images of 526 kB in process: what the gate itself costs.
func BenchmarkThrough(b *testing.B) {
	data := benchImage(b, "1.2.3.1")
	s := newSite(b, "", drained(data))
	s.device("WS1", policy.Verbs()...)
	a := s.mustDial("WS1", ct, uid.StudyRootGet)
	b.Run("operation=store", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		n := 0
		for b.Loop() {
			n++
			instance := fmt.Sprint("1.2.4.", n, ".", b.N)
			if got := send(b, a, instance, benchImage(b, instance)); got.Code != dimse.Success {
				b.Fatal(got)
			}
		}
	})
	small, err := dimse.Dial(b.Context(), s.address, dimse.Config{
		CallingAETitle: "WS1", CalledAETitle: "PACS", Contexts: dimse.Propose([]string{ct, uid.StudyRootGet}, []string{native}, false),
		Roles:  []ul.RoleSelection{{SOPClassUID: ct, SCU: true, SCP: true}},
		Limits: dimse.Limits{ReceivePDU: 16 << 10}, // as DCMTK has it
	})
	if err != nil {
		b.Fatal(err)
	}
	defer small.Abort()
	a = small
	b.Run("operation=get", func(b *testing.B) {
		b.SetBytes(int64(50 * len(data)))
		b.ReportAllocs()
		for b.Loop() {
			result, err := a.Get(b.Context(), dimse.GetRequest{
				SOPClassUID: uid.StudyRootGet, Identifier: query(b, "STUDY", map[tag.Tag]string{tag.StudyInstanceUID: "1.2.3"}),
				Store: func(_ context.Context, _ *dimse.Association, rq *dimse.StoreRequest) dimse.Status {
					_, _ = io.Copy(io.Discard, rq.Data)
					return dimse.Status{}
				},
			})
			if err != nil || result.SubOperations.Completed != 50 {
				b.Fatal(result, err)
			}
		}
	})
}
