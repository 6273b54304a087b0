package fetch

import (
	"context"
	"errors"
	"slices"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/sender"
)

// part is what one association retrieves.
type part struct {
	names   Names
	classes []string // SOP Classes to propose
}

// plan parts the studies so that the SOP Classes of each part fit into an
// association in every transfer syntax on its own. Classes that share a context
// come in the one syntax that the peer chooses of it, or not at all.
func (g *retrieval) plan(ctx context.Context) []part {
	studies := slices.Compact(slices.Sorted(slices.Values(g.names.Study)))
	if len(studies) == 1 {
		names := g.names
		names.Study = studies
		return []part{{names: names, classes: g.classes(ctx, studies[0])}}
	}

	var parts []part
	for _, study := range studies {
		found := g.classes(ctx, study)
		at := slices.IndexFunc(parts, func(p part) bool { return g.fits(union(p.classes, found)) })
		if at >= 0 {
			parts[at].names.Study = append(parts[at].names.Study, study)
			parts[at].classes = union(parts[at].classes, found)
			continue
		}
		parts = append(parts, part{names: Names{Study: []string{study}}, classes: found})
	}
	return parts
}

// union of two lists without doubles, in the order of the first.
func union(a, b []string) []string {
	out := slices.Clone(a)
	for _, s := range b {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// forStorage are the contexts that are left beside the one of the C-GET itself.
const forStorage = sender.MaxContexts - 1

// fits reports whether each class has room for a context per transfer syntax.
func (g *retrieval) fits(classes []string) bool {
	return len(classes)*len(g.Syntaxes) <= forStorage
}

// classes asks the peer which SOP Classes a study has, so that each can be
// proposed in every transfer syntax. A peer that does not say so is offered all
// storage classes.
func (g *retrieval) classes(ctx context.Context, study string) []string {
	var found []string
	keys := map[dicom.Tag]string{tag.StudyInstanceUID: study, tag.SOPClassesInStudy: ""}
	err := g.find(ctx, "STUDY", keys, func(ds *dicom.DataSet) {
		for _, class := range ds.Texts(tag.SOPClassesInStudy) {
			if uid.Tolerable(class) && !slices.Contains(found, class) {
				found = append(found, class)
			}
		}
	})
	if err != nil || len(found) == 0 || len(found) > forStorage {
		return commonClasses()
	}
	return found
}

// commonClasses are the storage classes of the standard, as many as fit beside
// the context of the C-GET itself.
func commonClasses() []string {
	all := uid.StorageClasses()
	return all[:min(len(all), forStorage)]
}

// missing lists what of a part is not on disk, so that it can be asked for once
// more: by series, with as few classes as fit.
func (g *retrieval) missing(ctx context.Context, p part) ([]part, error) {
	var parts []part
	for _, study := range p.names.Study {
		series := p.names.Series
		if len(series) == 0 {
			keys := map[dicom.Tag]string{tag.StudyInstanceUID: study, tag.SeriesInstanceUID: ""}
			err := g.find(ctx, "SERIES", keys, func(ds *dicom.DataSet) {
				series = append(series, ds.Text(tag.SeriesInstanceUID))
			})
			if err != nil {
				return nil, err
			}
		}

		for _, s := range series {
			more, err := g.missingOf(ctx, study, s, p.names.Instance)
			if err != nil {
				return nil, err
			}
			parts = append(parts, more...)
		}
	}
	return parts, nil
}

// mostInstances is how many UIDs one identifier names: fewer than fit into a
// value with a length of 16 bits (PS3.5 7.1.2).
const mostInstances = 500

// missingOf lists what of a series is not on disk, only the instances named
// where some are.
func (g *retrieval) missingOf(ctx context.Context, study, series string, only []string) (parts []part, err error) {
	keys := map[dicom.Tag]string{
		tag.StudyInstanceUID: study, tag.SeriesInstanceUID: series, tag.SOPInstanceUID: "", tag.SOPClassUID: "",
	}

	err = g.find(ctx, "IMAGE", keys, func(ds *dicom.DataSet) {
		instance := ds.Text(tag.SOPInstanceUID)
		class := ds.Text(tag.SOPClassUID)
		wanted := len(only) == 0 || slices.Contains(only, instance)
		if !wanted || !uid.Tolerable(instance) || !uid.Tolerable(class) || g.sink.has(instance) {
			return
		}

		at := slices.IndexFunc(parts, func(p part) bool {
			return len(p.names.Instance) < mostInstances && g.fits(union(p.classes, []string{class}))
		})
		if at < 0 {
			at = len(parts)
			parts = append(parts, part{names: Names{Study: []string{study}, Series: []string{series}}})
		}

		parts[at].names.Instance = append(parts[at].names.Instance, instance)
		parts[at].classes = union(parts[at].classes, []string{class})
	})
	return parts, err
}

// find asks with a few keys and gives each match to yield.
func (g *retrieval) find(ctx context.Context, level string, keys map[dicom.Tag]string, yield func(*dicom.DataSet)) error {
	ds := dicom.NewDataSet()
	err := ds.SetText(tag.QueryRetrieveLevel, level)
	for t, value := range keys {
		if value == "" {
			err = errors.Join(err, ds.SetText(t))
		} else {
			err = errors.Join(err, ds.SetText(t, value))
		}
	}
	if err != nil {
		return err
	}

	return g.Find(ctx, ds, yield)
}

// AnySyntax are the transfer syntaxes that are accepted, in the order of how
// likely objects are stored in them.
func AnySyntax() []string {
	return []string{
		uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian, uid.JPEGBaseline8Bit, uid.JPEGLosslessSV1,
		uid.JPEGLSLossless, uid.JPEG2000Lossless, uid.JPEG2000, uid.RLELossless, uid.ExplicitVRBigEndian,
		uid.DeflatedExplicitVRLittleEndian, uid.JPEGLossless, uid.JPEGExtended12Bit, uid.JPEGLSNearLossless,
		uid.HTJ2KLossless, uid.HTJ2K, uid.HTJ2KLosslessRPCL, uid.JPEGXLLossless, uid.JPEGXLJPEGRecompression,
		uid.JPEGXL, uid.MPEG4HP41, uid.MPEG2MPML, uid.MPEG2MPHL, uid.MPEG4HP41BD, uid.MPEG4HP422D, uid.HEVCMP51,
		uid.HEVCM10P51, uid.JPEGSpectralSelection, uid.JPEGFullProgression, uid.DeflatedImageFrame,
		uid.EncapsulatedUncompressed, uid.JPEG2000MCLossless, uid.JPEG2000MC, uid.MPEG4HP41Fragmentable,
		uid.MPEG2MPMLFragmentable, uid.MPEG2MPHLFragmentable, uid.MPEG4HP41BDFragmentable, uid.MPEG4HP422DFragmentable,
		uid.MPEG4HP423D, uid.MPEG4HP423DFragmentable, uid.MPEG4HP42STEREO, uid.MPEG4HP42STEREOFragmentable,
	}
}

// storageContexts proposes each class once per transfer syntax, as many as fit,
// so that objects come as they are stored; where there are too many classes,
// the likeliest syntaxes alone and the rest together.
func storageContexts(classes, syntaxes []string) []ul.ProposedContext {
	each := forStorage / max(len(classes), 1)
	switch {
	case each >= len(syntaxes):
		return dimse.Propose(classes, syntaxes, true)
	case each > 1:
		return append(dimse.Propose(classes, syntaxes[:each-1], true), dimse.Propose(classes, syntaxes[each-1:], false)...)
	}
	return dimse.Propose(classes, syntaxes, false)
}
