package house

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"

	"collimator/dicomweb"
	"collimator/internal/archive"
	"collimator/internal/disc"
	"collimator/internal/durable"
	"collimator/internal/export"
	"collimator/internal/fault"
	"collimator/internal/pacs"
	"collimator/internal/scratch"
	"collimator/internal/shown"
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
	if _, err := os.Lstat(m.File); err == nil {
		return nil, fault.Usage("--out: %s exists, and no file is replaced", shown.Text(m.File))
	}
	f, err := durable.Create(filepath.Dir(m.File), 0o600)
	if err != nil {
		return nil, fmt.Errorf("--out: %w", err)
	}
	defer f.Abort()

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
		made, err = disc.WriteZip(ctx, f, pieces, o)
	} else {
		made, err = spooled(ctx, f, filepath.Dir(m.File), pieces, o)
	}
	if err != nil {
		return made, err
	}
	return made, f.Once(m.File)
}

// spooled writes the image of a disc, of which all is kept in a directory first.
func spooled(
	ctx context.Context, w io.Writer, dir string, pieces iter.Seq2[disc.Piece, error], o disc.BurnOptions,
) (made *disc.Made, err error) {
	spool, err := scratch.New(dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, spool.Close()) }()
	return disc.WriteISO(ctx, w, spool, pieces, o)
}
