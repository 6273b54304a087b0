package demo

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/internal/identity"
	"collimator/internal/sender"
	"collimator/internal/synth"
)

// modality is a device that sends.
type modality struct {
	title  string
	kind   synth.Kind
	images int
}

var modalities = []modality{{"CT1", synth.CT, 12}, {"MR1", synth.MR, 8}, {"US1", synth.US, 1}}

// examine sends a study of nobody, first to the old PACS by the gate and then to the archive, and the next
// after a pause, until the context ends.
func (h *hospital) examine(ctx context.Context, m modality, seed uint64) {
	for n := uint64(0); ; n++ {
		var files []*dicom.File
		for f := range synth.Study(m.kind, synth.Options{
			Seed: seed*1000 + n + 1, Series: 1, Images: m.images, Rows: 256, Columns: 256, Start: time.Now(),
			Patient: synth.Patient{
				Name: fmt.Sprintf("TEST^DEMO %s %d", m.title, n+1), ID: fmt.Sprintf("TEST-%d", n%7+1),
				BirthDate: fmt.Sprintf("19%d0101", 40+n%50), Sex: "O",
			},
		}) {
			files = append(files, f)
		}
		for _, to := range []string{h.in.Config.AE, route} {
			err := h.send(ctx, m.title, to, files)
			switch {
			case err == nil:
				h.Log.Info("a modality of the demonstration sent a study", "device", m.title, "to", to)
			case ctx.Err() == nil:
				h.Log.Warn("a modality of the demonstration did not send", "device", m.title, "to", to, "error", err)
			}
		}

		select {
		case <-ctx.Done():
			return
		case <-time.After(h.Pause):
		}
	}
}

// send stores files at an AE title of the archive, which may be that of a route.
func (h *hospital) send(ctx context.Context, from, to string, files []*dicom.File) error {
	p, err := sender.Calling{Peer: to + "@" + h.at.DICOM.String(), As: h.keysOf(from)}.Find(identity.ServerUnit)
	if err != nil {
		return err
	}
	class := files[0].DataSet.Text(tag.SOPClassUID)
	a, err := p.Dial(ctx, dimse.Propose([]string{class}, []string{files[0].TransferSyntax}, false), nil)
	if err != nil {
		return err
	}
	for _, f := range files {
		status, err := a.Store(ctx, dimse.StoreRequest{
			SOPClassUID: class, SOPInstanceUID: f.DataSet.Text(tag.SOPInstanceUID), TransferSyntax: f.TransferSyntax,
			Data: bytes.NewReader(synth.DataSet(f)),
		})
		if err != nil || status.Code.Class() == dimse.ClassFailure {
			a.Abort()
			return fmt.Errorf("demo: %s: status %s: %w", to, status.Code, err)
		}
	}
	return a.Release(ctx)
}

// call is a device that nobody knows: it is refused, and waits to be approved. Its certificate is of another
// house.
func (h *hospital) call(ctx context.Context) {
	dir := h.keysOf("XR9")
	if err := strangersKeys(dir, "XR9"); err != nil {
		h.Log.Warn("the unknown device has no certificate", "error", err)
		return
	}
	ca := h.keysOf("CT1") + "/ca.pem"
	p, err := sender.Calling{
		Peer: h.in.Config.AE + "@" + h.at.DICOM.String(), AET: "XR9", Key: dir + "/XR9.key.pem", Cert: dir + "/XR9.cert.pem", CA: ca,
	}.Find(identity.ServerUnit)
	if err != nil {
		h.Log.Warn("the unknown device does not call", "error", err)
		return
	}
	if a, err := p.Dial(ctx, dimse.Propose([]string{uid.Verification}, sender.NativeSyntaxes(), false), nil); err == nil {
		_ = a.Release(ctx)
		h.Log.Warn("the unknown device was let in")
	}
}
