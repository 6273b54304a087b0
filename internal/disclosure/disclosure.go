// Package disclosure is how objects leave by DICOMweb, of whatever repository they are: in another
// transfer syntax, as a file, and without identity, as a project sees them under pseudonyms of
// its own. It keeps no objects and decides about no caller: what may be seen is a policy.Sight.
package disclosure

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"slices"

	"collimator/dicom"
	"collimator/dicom/pixel"
	"collimator/dicom/uid"
	"collimator/dicomweb"
	"collimator/internal/budget"
	"collimator/internal/fault"
	"collimator/internal/httpsec"
)

// Repository is objects with identity. Restrictions it is asked with are a policy.Sight, and what
// they exclude is not there. Methods are called concurrently.
type Repository interface {
	// Search, Instances and Headers are those of a dicomweb.Backend.
	Search(context.Context, dicomweb.Search) iter.Seq2[*dicom.DataSet, error]
	Instances(context.Context, dicomweb.Selection) iter.Seq2[dicomweb.Instance, error]
	Headers(context.Context, dicomweb.Selection) iter.Seq2[dicomweb.Header, error]
	// Members lists the instances of a study, by their UIDs alone.
	Members(ctx context.Context, study string) iter.Seq2[dicomweb.Resource, error]
	// Object opens an instance that Instances or Headers gave.
	Object(context.Context, dicomweb.Instance) (*Object, error)
	// StudiesAfter lists studies by number, from the one behind a number on, and StudyUID is the
	// study with a number; empty where there is none any more.
	StudiesAfter(ctx context.Context, after int64, limit int) ([]StudyNumber, error)
	StudyUID(ctx context.Context, number int64) (string, error)
}

// StudyNumber is a study with its number in a repository, in the order in which they came.
type StudyNumber struct {
	Number int64
	UID    string
}

// Object is a data set that is stored: Size bytes of At from Offset on, in a transfer syntax.
type Object struct {
	At interface {
		io.ReaderAt
		io.Closer
	}
	Offset, Size      int64
	TransferSyntaxUID string
}

// Close closes what it stands in.
func (o *Object) Close() error { return o.At.Close() }

// DataSet reads the bytes of the data set.
func (o *Object) DataSet() io.Reader { return io.NewSectionReader(o.At, o.Offset, o.Size) }

// Syntaxes is the transfer syntaxes in which an instance can be given: the stored one and, where
// it may become native, the native ones.
func Syntaxes(stored string) []string {
	list := []string{stored}
	if pixel.Convertible(stored) {
		list = append(list, slices.DeleteFunc(uid.NativeSyntaxes(), func(ts string) bool { return ts == stored })...)
	}
	return list
}

// Convert gives the data set of o in a transfer syntax, as it is stored or another, and closes o
// with it. What cannot be given is an error here, before the first byte, and then o stays open.
func Convert(ctx context.Context, o *Object, ts string) (io.ReadCloser, error) {
	header := budget.From(ctx).Piece() // of one of the many objects of a request
	r, err := pixel.Open(ctx, pixel.Object{
		At: o.At, Offset: o.Offset, Size: o.Size, TransferSyntax: o.TransferSyntaxUID, Account: header, Reserve: budget.Take,
	}, ts)
	if err != nil {
		header.Close()
	}
	switch {
	case errors.Is(err, pixel.ErrNotConvertible):
		return nil, fault.Wrap(fault.Unsupported, err, "pacs: not convertible")
	case err != nil:
		return nil, err
	}
	return body{r, closers{r, o, closing(header.Close)}}, nil
}

// File is Convert with meta information in front (PS3.10 7.1). Its errors are answers of DICOMweb,
// and o is closed with each.
func File(ctx context.Context, o *Object, meta dicom.Meta) (io.ReadCloser, error) {
	r, err := Convert(ctx, o, meta.TransferSyntaxUID)
	if kind := fault.Of(err); kind == fault.Busy || kind == fault.TooLarge || kind == fault.Canceled {
		return nil, errors.Join(Answer(err), o.Close())
	}
	if err != nil {
		return nil, &dicomweb.Error{Status: http.StatusNotAcceptable, Err: errors.Join(err, o.Close()),
			Detail: "The object cannot be converted. Ask for transfer-syntax=* to get it as it is stored."}
	}
	return body{io.MultiReader(bytes.NewReader(dicom.AppendMeta(nil, meta)), r), r}, nil
}

// Answer maps an error to one of DICOMweb. The texts of faults are meant for peers.
func Answer(err error) error {
	if _, is := errors.AsType[*dicomweb.Error](err); is {
		return err
	}
	status := httpsec.Status(err)
	if status == http.StatusInternalServerError || errors.Is(err, context.Canceled) {
		return err // 500 without a detail, and a sentence of its own for what was given up
	}

	e := &dicomweb.Error{Status: status, Detail: fault.Sentence(err), Err: err}
	if status == http.StatusServiceUnavailable {
		e.Header = http.Header{"Retry-After": {httpsec.RetryAfter}}
	}
	return e
}

type body struct {
	io.Reader
	io.Closer
}

// closers are closed one after the other.
type closers []io.Closer

// Close implements io.Closer.
func (c closers) Close() error {
	var all error
	for _, one := range c {
		all = errors.Join(all, one.Close())
	}
	return all
}

// closing is a function that ends something and cannot fail.
type closing func()

// Close implements io.Closer.
func (c closing) Close() error {
	c()
	return nil
}

// bulkThreshold is the length in bytes above which values stay in the file
// while an object is de-identified.
const bulkThreshold = 64 << 10
