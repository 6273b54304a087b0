package api

import (
	"context"
	"errors"
	"io"

	"collimator/dicomweb"
	"collimator/internal/audit"
	"collimator/internal/budget"
	"collimator/internal/disc"
	"collimator/internal/fault"
	"collimator/internal/guard"
	"collimator/internal/policy"
	"collimator/internal/scratch"
	"collimator/internal/webapi"
)

// Spool keeps an image of a disc until it is sent.
type Spool struct {
	New  func() (*scratch.File, error)
	Room func() error // refuses where the disk has no room left
}

func (s *Services) registerDownload(a *webapi.API) {
	a.Lasting("GET /api/v1/studies/{uid}/download", policy.Retrieve, s.download, "format", "language")
	a.OfStudy("GET /api/v1/studies/{uid}/download")
	a.Holds(downloadBytes, "GET /api/v1/studies/{uid}/download")
	a.Describe(map[string]webapi.Doc{
		"GET /api/v1/studies/{uid}/download": webapi.
			Does("Give a study as a file: objects with a DICOMDIR, and pages that any browser shows").
			GivesFile("application/zip", "application/x-iso9660-image").
			With("format", "zip, or iso for the image of a disc; zip without it").
			With("language", "of the pages: en or de"),
	})
}

const (
	// downloadBytes is what a download holds besides a picture: its directory, and what is on its way.
	downloadBytes = 8 << 20
	// downloadMost bounds the objects of one.
	downloadMost = 100_000
)

// download gives a study as a zip or as the image of a disc. It is recorded as an export before anything leaves.
func (s *Services) download(rq *webapi.Request) (any, error) {
	u, err := studyOf(rq)
	if err != nil {
		return nil, err
	}
	form, language := rq.Query("format"), rq.Query("language")
	if form == "" {
		form = "zip"
	}
	if form != "zip" && form != "iso" || language != "" && language != "en" && language != "de" {
		return nil, fault.New(fault.Invalid, "api: format is zip or iso, language is en or de")
	}

	of := dicomweb.Selection{Resource: dicomweb.Resource{StudyUID: u}, Restriction: guard.Sight(rq.Context())}
	o, err := s.leaving(rq.Context(), of, "files, as "+form)
	if err != nil {
		return nil, err
	}
	rq.Record(audit.Export, audit.Read, o)
	if err := rq.Recordable(); err != nil {
		return nil, err
	}

	out := &webapi.Stream{Type: "application/zip", Name: "study.zip"}
	if form == "iso" {
		out.Type, out.Name = "application/x-iso9660-image", "study.iso"
	}
	out.Run = func(send func([]byte) error) {
		ctx := rq.Context()
		if err := s.sendMedium(ctx, of, form, language, sending(send)); err != nil {
			if ctx.Err() == nil {
				s.Log.Error("a download did not come to its end", "error", err)
			}
			panic(webapi.Abort) // a file that is cut off must not look whole
		}
	}
	return out, nil
}

// leaving names for the record what is about to leave: the study that is stored, also where a copy without identity goes.
func (s *Services) leaving(ctx context.Context, of dicomweb.Selection, detail string) (o audit.Object, err error) {
	o = audit.Object{Detail: detail, SOPClasses: map[string]int{}}
	for i, err := range s.Objects.Instances(ctx, of) {
		if err != nil {
			return o, err
		}
		o.SOPClasses[i.SOPClassUID]++
		if o.Instances++; o.Instances > downloadMost {
			return o, fault.Newf(fault.TooLarge, "api: more than %d objects; retrieve the series one by one", downloadMost)
		}
		if ref, ok := guard.Stored(i.Ref); ok {
			o.Study = ref.StudyUID
		}
	}
	if o.Instances == 0 {
		return o, errNoStudy
	}
	o.Patient, o.PatientIssuer, err = s.Archive.PatientOf(ctx, o.Study)
	return o, err
}

// sendMedium makes the file and sends it.
func (s *Services) sendMedium(ctx context.Context, of dicomweb.Selection, form, language string, w io.Writer) (err error) {
	pieces, o := disc.Pieces(ctx, s.Objects, of), disc.BurnOptions{FileSetID: "DICOM", Language: language, Take: budget.Take}
	if form == "zip" {
		_, err := disc.WriteZip(ctx, w, pieces, o)
		return err
	}

	f, err := s.Spool.New()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, err = disc.WriteISO(ctx, w, &roomy{File: f, room: s.Spool.Room}, pieces, o)

	return err
}

// sending is a stream as a writer.
type sending func([]byte) error

// Write implements io.Writer.
func (s sending) Write(p []byte) (int, error) {
	if err := s(p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// roomy is a file that grows only while the disk has room.
type roomy struct {
	*scratch.File
	room  func() error
	since int
}

// roomStep is how much is written until the disk is looked at again, in bytes.
const roomStep = 16 << 20

// Write implements io.Writer.
func (r *roomy) Write(p []byte) (int, error) {
	if r.since -= len(p); r.since < 0 {
		if err := r.room(); err != nil {
			return 0, err
		}
		r.since = roomStep
	}
	return r.File.Write(p)
}
