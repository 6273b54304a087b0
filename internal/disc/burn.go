package disc

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"collimator/dicom"
	"collimator/dicom/media"
)

// Piece is an object that goes onto a medium.
type Piece struct {
	File    media.Source
	DataSet *dicom.DataSet // of which pages are made, with its pixel data
	Syntax  string         // transfer syntax of them
}

// BurnOptions say how a medium with pages is made.
type BurnOptions struct {
	FileSetID string
	Language  string // of the pages: "de", else English
	// Take asks for the memory that a picture needs, and waits for it; nil where nobody counts.
	Take     func(ctx context.Context, bytes int64) (done func(), err error)
	Progress func(bytes int64, failed bool) // called for each object, where it is not nil
}

// Burn writes objects with a DICOMDIR, and pages on which any browser shows them without a script: INDEX.HTM and
// what is below VIEW. Beside an error stands what came of the objects so far.
func Burn(ctx context.Context, to media.Target, pieces iter.Seq2[Piece, error], o BurnOptions) (*Made, error) {
	made := &Made{LeftOut: []LeftOut{}}
	w, err := media.NewWriter(to, media.WriterOptions{FileSetID: o.FileSetID})
	if err != nil {
		return made, err
	}
	p := newPages(to, o)
	n := 0
	for piece, err := range pieces {
		if err != nil {
			return made, err
		}
		n++
		added, err := w.Add(ctx, piece.File)
		var left *media.LeftOutError
		switch {
		case errors.As(err, &left):
			reason := strings.TrimPrefix(left.Error(), "media: left out: ")
			made.LeftOut = append(made.LeftOut, LeftOut{File: fmt.Sprintf("object %d", n), Reason: reason})
		case err != nil:
			return made, err
		default:
			made.Objects++
			made.Bytes += added.Bytes
			made.MadeKeys += len(added.Made)
			if err := p.object(ctx, piece, added.Path()); err != nil {
				return made, err
			}
		}
		if o.Progress != nil {
			o.Progress(added.Bytes, err != nil)
		}
	}
	if made.Objects == 0 {
		return made, errNothing
	}

	written, err := w.Close()
	if err != nil {
		return made, err
	}
	made.Records, made.UID, made.Profile = written.Records, written.UID, written.Profile
	return made, p.close(len(made.LeftOut))
}

var errNothing = errors.New("disc: no object could be taken, so there is no medium")
