package disclosure

import (
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"slices"
	"strings"

	"collimator/dicom"
	"collimator/dicom/deid"
	"collimator/dicom/pixel"
	"collimator/dicom/tag"
	"collimator/dicomweb"
	"collimator/internal/budget"
	"collimator/internal/policy"
	"collimator/internal/stream"
)

// Hidden is a repository without identities, as far as a sight goes.
type Hidden struct {
	of      Repository
	project *project
	sight   policy.Sight // with identities
}

// View is the repository as the project of a sight sees it.
func (p *Projects) View(sight policy.Sight) *Hidden {
	h := &Hidden{of: p.of, project: p.get(sight.Project), sight: sight}
	h.sight.Deidentified = false
	return h
}

// hidden is an instance that is handed out without its identity.
type hidden struct {
	of   dicomweb.Instance
	view *Hidden
}

// Original is the instance that was stored: the record of who saw what keeps it.
func (h hidden) Original() any { return h.of.Ref }

// identityTags are what pseudonyms and shifted dates are made from, besides the UIDs.
var identityTags = [...]dicom.Tag{tag.PatientID, tag.IssuerOfPatientID, tag.PatientName, tag.PatientBirthDate, tag.StudyInstanceUID}

// Search implements dicomweb.Backend. What is asked for must be what is
// answered: a key is matched only where the profile leaves the attribute as it
// is, or where it is a UID. Any other key matches nothing, so that nobody can
// find out by trying whether a patient is here. An instance that is not handed out
// is not listed; studies and series are, of which nothing of an instance is told.
func (w *Hidden) Search(ctx context.Context, q dicomweb.Search) iter.Seq2[*dicom.DataSet, error] {
	p := w.project
	return func(yield func(*dicom.DataSet, error) bool) {
		keys, added, matchable, err := p.revealKeys(ctx, q.Keys, w.sight)
		if err != nil || !matchable {
			if err != nil {
				yield(nil, Answer(err))
			}
			return
		}

		instances := q.Level == dicomweb.InstanceLevel
		if instances {
			added = append(added, nameInstance(keys)...)
		}
		offset := q.Offset // counts what is listed
		q.Keys = keys
		q.Fuzzy = false
		q.Limit = 0
		q.Offset = 0
		q.Restriction = w.sight

		for real, err := range w.of.Search(ctx, q) {
			var ds *dicom.DataSet
			if err == nil {
				ds, err = p.deid.Attributes(real)
			}
			if err != nil {
				yield(nil, Answer(err))
				return
			}

			if !sameMatches(keys, real, ds) {
				continue
			}

			shown := true
			if instances {
				shown, err = w.shown(ctx, real)
			}
			if err != nil {
				yield(nil, Answer(err))
				return
			}
			if !shown {
				continue
			}
			if offset > 0 {
				offset--
				continue
			}

			for _, t := range added {
				ds.Delete(t)
			}
			if !yield(ds, nil) {
				return
			}
		}
	}
}

// sameMatches reports that what a key was matched with is answered as it is:
// text that is kept as a rule may have quoted the patient.
func sameMatches(keys, real, hidden *dicom.DataSet) bool {
	for el := range keys.All() {
		if el.Empty() || el.Sequence() || el.VR == dicom.UI || el.Tag == tag.SpecificCharacterSet {
			continue
		}
		was, _ := real.Get(el.Tag)
		is, _ := hidden.Get(el.Tag)
		if !slices.Equal(was.Texts(), is.Texts()) || !slices.Equal(was.Floats(), is.Floats()) {
			return false
		}
	}
	return true
}

// revealKeys makes the keys of the real archive. added are those that the peer
// did not ask for.
func (p *project) revealKeys(ctx context.Context, keys *dicom.DataSet,
	sight policy.Sight) (out *dicom.DataSet, added []dicom.Tag, matchable bool, err error) {

	out = keys.Clone()
	for el := range keys.All() {
		if el.Empty() || el.Tag == tag.SpecificCharacterSet || emptySequence(el) ||
			p.deid.Retains(el.Tag) && el.VR != dicom.UI && el.VR != dicom.SQ {
			continue
		}

		switch {
		case el.Tag == tag.SOPClassUID, el.Tag == tag.SOPClassesInStudy, isUIDKey(el.Tag):
		case el.VR != dicom.SQ && strings.Trim(keys.Text(el.Tag), "*") == "":
			out.Set(dicom.NewElement(el.Tag, el.VR, nil)) // universal matching (PS3.4 C.2.2.2.3)
		default:
			return nil, nil, false, nil
		}
	}

	if matchable, err = p.revealUIDs(ctx, keys, out, sight); err != nil || !matchable {
		return nil, nil, false, err
	}

	for _, t := range identityTags {
		if !out.Has(t) {
			out.Set(dicom.NewElement(t, 0, nil))
			added = append(added, t)
		}
	}
	return out, added, true, nil
}

func isUIDKey(t dicom.Tag) bool {
	return t == tag.StudyInstanceUID || t == tag.SeriesInstanceUID || t == tag.SOPInstanceUID
}

// emptySequence reports a sequence of which no item asks for a value.
func emptySequence(el dicom.Element) bool {
	if el.VR != dicom.SQ {
		return false
	}
	for _, item := range el.Items() {
		for inner := range item.All() {
			if !inner.Empty() && !emptySequence(inner) {
				return false
			}
		}
	}
	return true
}

// revealUIDs puts the real UIDs into the keys. Series and instances are found
// within studies that are named.
func (p *project) revealUIDs(ctx context.Context, keys, out *dicom.DataSet, sight policy.Sight) (bool, error) {
	real := map[dicom.Tag][]string{}
	studies := keys.Values(tag.StudyInstanceUID)
	for _, s := range studies {
		r, found, err := p.reveal(ctx, dicomweb.Resource{StudyUID: s}, sight)
		if err != nil {
			return false, err
		}
		if !found {
			continue
		}

		real[tag.StudyInstanceUID] = append(real[tag.StudyInstanceUID], r.StudyUID)
		m, err := p.membersOf(ctx, r.StudyUID, true)
		if err != nil {
			return false, err
		}

		for t, known := range map[dicom.Tag]map[string]string{tag.SeriesInstanceUID: m.series, tag.SOPInstanceUID: m.instances} {
			for _, u := range keys.Values(t) {
				if known[u] != "" {
					real[t] = append(real[t], known[u])
				}
			}
		}
	}

	for _, t := range []dicom.Tag{tag.StudyInstanceUID, tag.SeriesInstanceUID, tag.SOPInstanceUID} {
		if len(keys.Values(t)) == 0 {
			continue
		}
		if len(real[t]) == 0 {
			return false, nil
		}
		if err := out.SetText(t, real[t]...); err != nil {
			return false, err
		}
	}
	return true, nil
}

// Instances implements dicomweb.Backend.
func (w *Hidden) Instances(ctx context.Context, s dicomweb.Selection) iter.Seq2[dicomweb.Instance, error] {
	return func(yield func(dicomweb.Instance, error) bool) {
		for h, err := range w.Headers(ctx, s) {
			if !yield(h.Instance, err) {
				return
			}
		}
	}
}

// Headers implements dicomweb.Backend. Objects that the profile does not
// let pass, because their pixels are likely to show the patient or because they
// are documents, are left out of a series or study; asked for by itself, such
// an object is refused with the reason.
func (w *Hidden) Headers(ctx context.Context, s dicomweb.Selection) iter.Seq2[dicomweb.Header, error] {
	return func(yield func(dicomweb.Header, error) bool) {
		real, found, err := w.project.reveal(ctx, s.Resource, w.sight)
		if err != nil || !found {
			if err != nil {
				yield(dicomweb.Header{}, Answer(err))
			}
			return
		}

		for h, err := range w.of.Headers(ctx, dicomweb.Selection{Resource: real, Restriction: w.sight}) {
			if err != nil {
				yield(dicomweb.Header{}, Answer(err))
				return
			}

			ds, _, err := w.project.deid.Apply(h.DataSet)
			if _, refused := errors.AsType[*deid.RefusedError](err); refused && s.SOPInstanceUID == "" {
				continue
			}
			if err != nil {
				yield(dicomweb.Header{}, deidError(err))
				return
			}

			if !yield(dicomweb.Header{Instance: w.instance(h.Instance), DataSet: ds}, nil) {
				return
			}
		}
	}
}

func deidError(err error) error {
	if _, refused := errors.AsType[*deid.RefusedError](err); refused {
		return &dicomweb.Error{
			Status: http.StatusForbidden,
			Err:    err,
			Detail: "This object may show its patient and is not handed out without identity.",
		}
	}
	return Answer(err)
}

func (w *Hidden) instance(real dicomweb.Instance) dicomweb.Instance {
	i := real
	i.Resource = w.project.hide(real.Resource)
	i.Version = w.project.version(real.Version)
	i.Size = 0
	i.Ref = hidden{real, w}
	return i
}

// Open gives the file of an instance that a Hidden gave, without its identity; ok is false for
// one that is of nobody's project.
func Open(ctx context.Context, i dicomweb.Instance, transferSyntax string) (file io.ReadCloser, ok bool, err error) {
	h, ok := i.Ref.(hidden)
	if !ok {
		return nil, false, nil
	}
	file, err = h.open(ctx, transferSyntax)
	return file, true, err
}

// open writes the Part 10 file of an instance without its identity.
func (h hidden) open(ctx context.Context, transferSyntax string) (io.ReadCloser, error) {
	o, err := h.view.of.Object(ctx, h.of)
	if err != nil {
		return nil, Answer(err)
	}
	held := closers{o}
	out, err := h.file(ctx, o, transferSyntax, &held)
	if err != nil {
		return nil, errors.Join(deidError(err), held.Close())
	}
	return stream.Of(held, func(w io.Writer) error { return dicom.WriteFile(w, out) }), nil
}

// file is the object in a transfer syntax, without identity. The large values
// stay in o; what stays in memory is given back with held.
func (h hidden) file(ctx context.Context, o *Object, transferSyntax string, held *closers) (*dicom.File, error) {
	header := budget.From(ctx).Piece()
	*held = append(*held, closing(header.Close))

	ds, err := dicom.Decode(o.DataSet(), dicom.DecodeOptions{
		TransferSyntax: o.TransferSyntaxUID, BulkThreshold: bulkThreshold, Source: o.At, Base: o.Offset, Account: header,
	})
	if err != nil {
		return nil, err
	}

	if transferSyntax != o.TransferSyntaxUID {
		done, err := budget.Take(ctx, pixel.TranscodeCost(ds, o.TransferSyntaxUID, transferSyntax))
		if err != nil {
			return nil, err
		}
		*held = append(*held, closing(done))
		if ds, err = pixel.Transcode(ctx, ds, o.TransferSyntaxUID, transferSyntax); err != nil {
			return nil, err
		}
	}

	out, _, err := h.view.project.deid.ApplyFile(&dicom.File{DataSet: ds, TransferSyntax: transferSyntax}, dicom.ImplementationClassUID)
	return out, err
}
