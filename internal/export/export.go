// Package export writes copies of images as plain files: what the archive stores,
// as it is, converted or signed, and files without the identity of their
// patients. It replaces no stored object, knows no flags and prints nothing.
package export

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"collimator/dicom"
	"collimator/dicom/pixel"
	"collimator/dicom/sign"
	"collimator/dicom/uid"
	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/durable"
	"collimator/internal/fault"
	"collimator/internal/sender"
)

// Report is what was written. The lists are never nil.
type Report struct {
	Written int              `json:"written"`
	Files   []File           `json:"files"`
	Failed  []sender.Failure `json:"failed"`
}

// File is one that was written.
type File struct {
	File           string `json:"file"`
	SOPInstanceUID string `json:"sopInstanceUID"`
	SHA256         string `json:"sha256"`
}

// Options are what is written, and how. Archive and Dir are required.
type Options struct {
	Archive *archive.Archive
	Dir     string       // of the files, which are numbered from 000001.dcm on
	Syntax  string       // transfer syntax to convert to; empty for as it is stored
	Signer  *sign.Signer // nil signs nothing
	// Progress, where it is not nil, is called for each instance: its bytes, and
	// whether it failed.
	Progress func(bytes int64, failed bool)
}

// Query names a study, one of its series or one instance; what is empty is not named.
func Query(within archive.Scope, study, series, instance string) archive.RetrieveQuery {
	q := archive.RetrieveQuery{StudyUIDs: []string{study}, Scope: within}
	if series != "" {
		q.SeriesUIDs = []string{series}
	}
	if instance != "" {
		q.SOPInstanceUIDs = []string{instance}
	}
	return q
}

// Find lists what is to be exported before anything is written. Nothing is an
// error of kind NotFound.
func Find(ctx context.Context, a *archive.Archive, q archive.RetrieveQuery) ([]archive.InstanceRef, error) {
	var refs []archive.InstanceRef
	for ref, err := range a.Retrieve(ctx, q) {
		if err != nil {
			return nil, err
		}
		refs = append(refs, ref)
	}

	if len(refs) == 0 {
		return nil, fault.New(fault.NotFound, "nothing of that is stored; look for studies with 'collimator find'")
	}

	return refs, nil
}

// Record is the record of PS3.15 A.5.3.4; failed is how many instances
// were not written after all. o names the study.
func Record(o audit.Object, refs []archive.InstanceRef, failed int) audit.Record {
	o.SOPClasses = map[string]int{}
	o.Instances = len(refs)
	o.Failed = failed
	for _, ref := range refs {
		o.SOPClasses[ref.SOPClassUID]++
	}

	r := audit.Record{Event: audit.Export, Action: audit.Read, Objects: []audit.Object{o}}
	if failed > 0 {
		r.Outcome = audit.MinorFailure
		r.Reason = "not all files could be written"
	}

	return r
}

// Run writes the instances. One that cannot be written does not keep the others
// back. It ends early with ctx.
func Run(ctx context.Context, refs []archive.InstanceRef, o Options) Report {
	x := &run{Options: o, report: Report{Files: []File{}, Failed: []sender.Failure{}}}
	x.all(ctx, refs)
	return x.report
}

// run is one export.
type run struct {
	Options
	report Report
}

func (x *run) all(ctx context.Context, refs []archive.InstanceRef) {
	for i, ref := range refs {
		if ctx.Err() != nil {
			return
		}

		path := filepath.Join(x.Dir, fmt.Sprintf("%06d.dcm", i+1))
		digest, err := x.one(ctx, ref, path)
		if x.Progress != nil {
			x.Progress(ref.Size, err != nil)
		}

		if err != nil {
			x.report.Failed = append(x.report.Failed, sender.Failure{File: path, Reason: err.Error()})
			continue
		}

		x.report.Written++
		x.report.Files = append(x.report.Files, File{File: path, SOPInstanceUID: ref.SOPInstanceUID, SHA256: digest})
	}
}

// one writes an instance and gives the SHA-256 of the file.
func (x *run) one(ctx context.Context, ref archive.InstanceRef, path string) (string, error) {
	o, err := x.Archive.Open(ctx, ref)
	if err != nil {
		return "", err
	}
	defer o.Close()

	// What was changed on the disk must not leave, let alone with a signature.
	if err := unchanged(o, ref); err != nil {
		return "", err
	}

	f, err := durable.Create(x.Dir, 0o600)
	if err != nil {
		return "", err
	}
	defer f.Abort()

	sum := sha256.New()
	w := bufio.NewWriterSize(io.MultiWriter(f, sum), 256<<10)
	if err := x.write(ctx, w, o, ref); err != nil {
		return "", err
	}
	if err := w.Flush(); err != nil {
		return "", err
	}

	if err := f.Once(path); errors.Is(err, fs.ErrExist) {
		return "", errors.New("a file of this name is there already, and none is replaced: name another directory")
	} else if err != nil {
		return "", err
	}

	return hex.EncodeToString(sum.Sum(nil)), nil
}

// unchanged reads a stored file to its end and compares it with its digest; a file
// that differs is an error of kind Internal.
func unchanged(o *archive.Object, ref archive.InstanceRef) error {
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(o, 0, o.Size())); err != nil {
		return err
	}

	if hex.EncodeToString(sum.Sum(nil)) != ref.Digest {
		return fault.New(fault.Internal, "the stored file is not what was recorded; see 'collimator verify'")
	}

	return nil
}

// write gives the file as it is stored, or converted and signed.
func (x *run) write(ctx context.Context, w io.Writer, o *archive.Object, ref archive.InstanceRef) error {
	syntax := x.syntax(ref)
	if syntax == ref.TransferSyntaxUID && x.Signer == nil {
		_, err := io.Copy(w, io.NewSectionReader(o, 0, o.Size()))
		return err
	}

	f, err := dicom.OpenFile(o, o.Size(), dicom.DecodeOptions{BulkThreshold: 64 << 10})
	if err != nil {
		return err
	}

	ds, err := pixel.Transcode(ctx, f.DataSet, ref.TransferSyntaxUID, syntax)
	if err != nil {
		return err
	}

	if x.Signer != nil {
		ds = ds.Clone()
		if err := x.Signer.Sign(ctx, ds, syntax); err != nil {
			return err
		}
	}

	head := dicom.AppendMeta(nil, dicom.Meta{
		SOPClassUID:            ref.SOPClassUID,
		SOPInstanceUID:         ref.SOPInstanceUID,
		TransferSyntaxUID:      syntax,
		ImplementationClassUID: dicom.ImplementationClassUID,
	})
	if _, err := w.Write(head); err != nil {
		return err
	}

	return dicom.Encode(w, ds, syntax)
}

// syntax is the transfer syntax in which an instance is written. A signature
// wants the VR of each element in the file (PS3.3 C.12.1.1.3).
func (x *run) syntax(ref archive.InstanceRef) string {
	if x.Syntax != "" {
		return x.Syntax
	}
	if ts, known := dicom.LookupTransferSyntax(ref.TransferSyntaxUID); x.Signer != nil && known && !ts.Encapsulated {
		return uid.ExplicitVRLittleEndian
	}

	return ref.TransferSyntaxUID
}
