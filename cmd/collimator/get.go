package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"path/filepath"
	"slices"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/durable"
)

type getCmd struct {
	connectFlags
	nameFlags
	Out    string   `help:"Directory for the files." default:"." placeholder:"DIR"`
	Syntax []string `help:"Transfer syntax UIDs to accept, best first. Default: whatever the objects are stored in." placeholder:"UID"`
}

func (getCmd) Help() string {
	return `Files are named STUDY/SERIES/INSTANCE.dcm by their UIDs. One that is there already is replaced only
when the new one is complete.

Example:
  collimator get COLLIMATOR@127.0.0.1:2762 --as ./ws1 --study 1.2.3 --out ./study`
}

func (c *getCmd) Run(e *env) error {
	keys, err := c.identifier()
	if err != nil {
		return err
	}
	d, err := c.dialer()
	if err != nil {
		return err
	}
	classes := c.classes(e, d)
	roles := make([]ul.RoleSelection, len(classes))
	for i, class := range classes {
		roles[i] = ul.RoleSelection{SOPClassUID: class, SCP: true}
	}
	contexts := append(dimse.Propose([]string{uid.StudyRootGet}, nativeSyntaxes(), false), c.storageContexts(classes)...)
	for i := range contexts {
		contexts[i].ID = 0
	}
	a, err := d.dial(e.ctx, contexts, func(cfg *dimse.Config) { cfg.Roles = roles })
	if err != nil {
		return err
	}
	sink := &fileSink{dir: c.Out, made: directories{}}
	p := newProgress(e, "received", 0)
	result, err := a.Get(e.ctx, dimse.GetRequest{
		SOPClassUID: uid.StudyRootGet, Identifier: keys, Store: sink.store,
		Progress: func(r dimse.RetrieveResult) { showRetrieve(p, r) },
	})
	p.end()
	if err == nil {
		err = a.Release(e.ctx)
	} else {
		a.Abort()
	}
	return errors.Join(d.retrieved(e, result, err, "received in "+c.Out), sink.err)
}

// classes asks the peer which SOP Classes the studies have, so that each can be
// proposed in every transfer syntax. A peer that does not say so is offered all
// storage classes.
func (c *getCmd) classes(e *env, d *dialer) []string {
	var found []string
	for _, study := range c.Study {
		keys := dicom.NewDataSet()
		if keys.SetText(tag.QueryRetrieveLevel, "STUDY") != nil || keys.SetText(tag.StudyInstanceUID, study) != nil || keys.SetText(tag.SOPClassesInStudy) != nil {
			return commonClasses()
		}
		err := (&findCmd{Root: "study"}).query(e, d, keys, func(ds *dicom.DataSet) error {
			for _, class := range ds.Texts(tag.SOPClassesInStudy) {
				if uid.Tolerable(class) && !slices.Contains(found, class) {
					found = append(found, class)
				}
			}
			return nil
		})
		if err != nil {
			return commonClasses()
		}
	}
	if len(found) == 0 || len(found) > maxContexts-1 {
		return commonClasses()
	}
	return found
}

// commonClasses are the storage classes of the standard, as many as fit beside
// the context of the C-GET itself.
func commonClasses() []string {
	all := uid.StorageClasses()
	return all[:min(len(all), maxContexts-1)]
}

// anySyntax are the transfer syntaxes that are accepted, in the order of how
// likely objects are stored in them.
func anySyntax() []string {
	return []string{
		uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian, uid.JPEGBaseline8Bit, uid.JPEGLosslessSV1, uid.JPEGLSLossless, uid.JPEG2000Lossless,
		uid.JPEG2000, uid.RLELossless, uid.ExplicitVRBigEndian, uid.DeflatedExplicitVRLittleEndian, uid.JPEGLossless, uid.JPEGExtended12Bit,
		uid.JPEGLSNearLossless, uid.HTJ2KLossless, uid.HTJ2K, uid.HTJ2KLosslessRPCL, uid.JPEGXLLossless, uid.JPEGXLJPEGRecompression, uid.JPEGXL,
		uid.MPEG4HP41, uid.MPEG2MPML, uid.MPEG2MPHL, uid.MPEG4HP41BD, uid.MPEG4HP422D, uid.HEVCMP51, uid.HEVCM10P51, uid.JPEGSpectralSelection,
		uid.JPEGFullProgression, uid.DeflatedImageFrame, uid.EncapsulatedUncompressed, uid.JPEG2000MCLossless, uid.JPEG2000MC,
		uid.MPEG4HP41Fragmentable, uid.MPEG2MPMLFragmentable, uid.MPEG2MPHLFragmentable, uid.MPEG4HP41BDFragmentable, uid.MPEG4HP422DFragmentable,
		uid.MPEG4HP423D, uid.MPEG4HP423DFragmentable, uid.MPEG4HP42STEREO, uid.MPEG4HP42STEREOFragmentable,
	}
}

// storageContexts proposes each class once per transfer syntax, as many as fit,
// so that objects come as they are stored; where there are too many classes,
// each once with all of them.
func (c *getCmd) storageContexts(classes []string) []ul.ProposedContext {
	syntaxes := c.Syntax
	if len(syntaxes) == 0 {
		syntaxes = anySyntax()
	}
	each := (maxContexts - 1) / max(len(classes), 1)
	if each >= len(syntaxes) {
		return dimse.Propose(classes, syntaxes, true)
	}
	list := dimse.Propose(classes, syntaxes, false)
	if each > 1 {
		// The likeliest alone, the rest together.
		list = append(dimse.Propose(classes, syntaxes[:each-1], true), dimse.Propose(classes, syntaxes[each-1:], false)...)
	}
	return list
}

// fileSink writes received instances as Part 10 files.
type fileSink struct {
	dir  string
	made directories
	err  error // the first that was ours
}

func (s *fileSink) store(_ context.Context, a *dimse.Association, rq *dimse.StoreRequest) dimse.Status {
	if !uid.Tolerable(rq.SOPInstanceUID) {
		return dimse.InvalidSOPInstance.With("malformed UID")
	}
	if err := s.write(a, rq); err != nil {
		if s.err == nil {
			s.err = err
		}
		return dimse.OutOfResources.Because(err)
	}
	return dimse.Status{}
}

// nameOf is a UID as the name of a directory. An object may have none, and one
// that is none could lead anywhere.
func nameOf(u, otherwise string) string {
	if uid.Tolerable(u) {
		return u
	}
	return otherwise
}

// write streams an instance into a new file and gives it its name when it is
// whole.
func (s *fileSink) write(a *dimse.Association, rq *dimse.StoreRequest) error {
	if err := s.made.make(s.dir); err != nil {
		return err
	}
	tmp, err := durable.Create(s.dir, 0o600)
	if err != nil {
		return err
	}
	defer tmp.Abort()
	w := bufio.NewWriterSize(tmp, 256<<10)
	if _, err := w.Write(dicom.AppendMeta(nil, dicom.Meta{
		SOPClassUID: rq.SOPClassUID, SOPInstanceUID: rq.SOPInstanceUID, TransferSyntaxUID: rq.TransferSyntax,
		ImplementationClassUID: dimse.ImplementationClassUID, ImplementationVersionName: dimse.ImplementationVersionName,
		SourceAETitle: a.Request().CalledAETitle,
	})); err != nil {
		return err
	}
	// The header is read along, for the names of study and series.
	ds, err := dicom.Decode(io.TeeReader(rq.Data, w), dicom.DecodeOptions{TransferSyntax: rq.TransferSyntax, BulkThreshold: 4 << 10})
	if err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	dir := filepath.Join(s.dir, nameOf(ds.Text(tag.StudyInstanceUID), "no-study"), nameOf(ds.Text(tag.SeriesInstanceUID), "no-series"))
	if err := s.made.make(dir); err != nil {
		return err
	}
	return tmp.Whole(filepath.Join(dir, rq.SOPInstanceUID+".dcm"))
}
