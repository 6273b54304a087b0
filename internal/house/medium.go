package house

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"collimator/dicomweb"
	"collimator/internal/archive"
	"collimator/internal/disc"
	"collimator/internal/export"
	"collimator/internal/fault"
	"collimator/internal/pacs"
	"collimator/internal/scratch"
)

// Medium is a study that leaves as one file.
type Medium struct {
	Archive                 *archive.Archive
	Study, Series, Instance string
	Form                    string // zip or iso
	File                    string // it is made
	Language                string // of the pages
	Progress                func(bytes int64, failed bool)
}

// ExportMedium writes a study with a DICOMDIR and pages for browsers, and records it before.
func (in *Installation) ExportMedium(ctx context.Context, refs []archive.InstanceRef, m Medium) (made *disc.Made, err error) {
	f, err := os.OpenFile(m.File, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fault.Usage("--out: %w", err)
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			err = errors.Join(fmt.Errorf("%s is not whole, and was removed: %w", m.File, err), os.Remove(m.File))
		}
	}()
	study := studyObject(ctx, m.Archive, refs[0].StudyUID, "files, as "+m.Form)
	if err := in.Record(ctx, export.Record(study, refs, 0)); err != nil {
		return nil, err
	}

	of := dicomweb.Selection{
		Resource:    dicomweb.Resource{StudyUID: m.Study, SeriesUID: m.Series, SOPInstanceUID: m.Instance},
		Restriction: archive.Everything(),
	}
	pieces := disc.Pieces(ctx, &pacs.Web{Archive: m.Archive}, of)
	o := disc.BurnOptions{FileSetID: "DICOM", Language: m.Language, Progress: m.Progress}
	if m.Form == "zip" {
		return disc.WriteZip(ctx, f, pieces, o)
	}
	spool, err := scratch.New(filepath.Dir(m.File))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, spool.Close()) }()
	return disc.WriteISO(ctx, f, spool, pieces, o)
}
