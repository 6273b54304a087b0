package main

import (
	"bufio"
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
	"collimator/internal/house"
	"collimator/internal/phrase"
	"collimator/internal/sender"
	"collimator/internal/shown"
)

type exportCmd struct {
	dataFlags
	Study    string `help:"Study Instance UID." required:"" placeholder:"UID"`
	Series   string `help:"Only this series." placeholder:"UID"`
	Instance string `help:"Only this instance." placeholder:"UID"`
	Out      string `help:"Directory for the files; it is made." required:"" placeholder:"DIR"`
	Syntax   string `help:"Transfer syntax UID to convert to; the default is as stored." placeholder:"UID"`
	Sign     bool   `help:"Add a digital signature to each file; needs --key and --cert."`
	Key      string `help:"RSA key to sign with, PEM, 2048 bits or more." placeholder:"FILE"`
	Cert     string `help:"Certificate of the key, PEM." placeholder:"FILE"`
	Output   string `short:"o" help:"text or json." enum:"text,json" default:"text"`
}

func (exportCmd) Help() string {
	return `Writes plain DICOM files, with the names of the patients in them, numbered from 000001.dcm on. No
file is replaced. Without --syntax and --sign they are bit for bit what is stored. What is exported
stands in the audit trail.

With --sign each file gets a signature over its elements and pixel data (PS3.15 C.2); the stored object
stays as it is. Uncompressed objects are then written in Explicit VR Little Endian.

Examples:
  collimator export --study 1.2.3 --out ./study
  collimator export --study 1.2.3 --out ./study --sign --key clinic.key.pem --cert clinic.cert.pem`
}

// exportReport is the answer of -o json.
type exportReport struct {
	Written int              `json:"written"`
	Files   []exportedFile   `json:"files"`
	Failed  []sender.Failure `json:"failed"`
}

type exportedFile struct {
	File           string `json:"file"`
	SOPInstanceUID string `json:"sopInstanceUID"`
	SHA256         string `json:"sha256"`
}

func (c *exportCmd) Run(e *env) error {
	signer, err := c.signer()
	if err != nil {
		return err
	}
	if c.Syntax != "" && !pixel.Convertible(c.Syntax) {
		return usageError("--syntax: nothing is converted to %s", c.Syntax)
	}

	return c.withArchive(e, func(in *house.Installation, a *archive.Archive) error {
		refs, err := c.instances(e, a)
		if err != nil {
			return err
		}
		if err := durable.Directory(c.Out); err != nil {
			return fmt.Errorf("--out: %w", err)
		}

		// Recorded before the first byte leaves: an export that is killed has
		// taken place as well.
		study := studyObject(e.ctx, a, refs[0].StudyUID, "files")
		if err := in.Record(e.ctx, exportRecord(study, refs, 0)); err != nil {
			return err
		}
		x := &export{exportCmd: c, archive: a, signer: signer, report: exportReport{Files: []exportedFile{}, Failed: []sender.Failure{}}}
		x.all(e, refs)
		if n := len(refs) - x.report.Written; n > 0 {
			if err := in.Record(e.ctx, exportRecord(study, refs, n)); err != nil {
				return err
			}
		}

		return x.finish(e)
	})
}

// signer is what the flags say to sign with; nil is not to sign.
func (c *exportCmd) signer() (*sign.Signer, error) {
	if !c.Sign {
		if c.Key != "" || c.Cert != "" {
			return nil, usageError("--key and --cert go with --sign")
		}
		return nil, nil
	}
	if c.Key == "" || c.Cert == "" {
		return nil, usageError("--sign needs --key and --cert")
	}

	return readSigner(c.Key, c.Cert)
}

// instances finds what is to be exported before anything is written.
func (c *exportCmd) instances(e *env, a *archive.Archive) ([]archive.InstanceRef, error) {
	q := archive.RetrieveQuery{StudyUIDs: []string{c.Study}, Scope: archive.Everything()}
	if c.Series != "" {
		q.SeriesUIDs = []string{c.Series}
	}
	if c.Instance != "" {
		q.SOPInstanceUIDs = []string{c.Instance}
	}

	var refs []archive.InstanceRef
	for ref, err := range a.Retrieve(e.ctx, q) {
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

// exportRecord is the record of PS3.15 A.5.3.4; failed is how many instances
// were not written after all.
func exportRecord(o audit.Object, refs []archive.InstanceRef, failed int) audit.Record {
	o.SOPClasses, o.Instances, o.Failed = map[string]int{}, len(refs), failed
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

// export is one run of the command.
type export struct {
	*exportCmd
	archive *archive.Archive
	signer  *sign.Signer // nil without --sign
	report  exportReport
}

func (x *export) all(e *env, refs []archive.InstanceRef) {
	p := newProgress(e, "exported", len(refs))
	defer p.end()

	for i, ref := range refs {
		if e.ctx.Err() != nil {
			return
		}
		path := filepath.Join(x.Out, fmt.Sprintf("%06d.dcm", i+1))
		digest, err := x.one(e, ref, path)
		p.add(ref.Size, err != nil)
		if err != nil {
			x.report.Failed = append(x.report.Failed, sender.Failure{File: path, Reason: err.Error()})
			continue
		}
		x.report.Written++
		x.report.Files = append(x.report.Files, exportedFile{File: path, SOPInstanceUID: ref.SOPInstanceUID, SHA256: digest})
	}
}

// one writes an instance and gives the SHA-256 of the file.
func (x *export) one(e *env, ref archive.InstanceRef, path string) (string, error) {
	o, err := x.archive.Open(e.ctx, ref)
	if err != nil {
		return "", err
	}
	defer o.Close()
	// What was changed on the disk must not leave, let alone with a signature.
	if err := unchanged(o, ref); err != nil {
		return "", err
	}

	f, err := durable.Create(x.Out, 0o600)
	if err != nil {
		return "", err
	}
	defer f.Abort()
	sum := sha256.New()
	w := bufio.NewWriterSize(io.MultiWriter(f, sum), 256<<10)
	if err := x.write(e, w, o, ref); err != nil {
		return "", err
	}
	if err := w.Flush(); err != nil {
		return "", err
	}
	if err := f.Once(path); errors.Is(err, fs.ErrExist) {
		return "", errors.New("a file of this name is there already, and none is replaced: name another directory with --out")
	} else if err != nil {
		return "", err
	}

	return hex.EncodeToString(sum.Sum(nil)), nil
}

// unchanged holds a stored file against its digest.
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
func (x *export) write(e *env, w io.Writer, o *archive.Object, ref archive.InstanceRef) error {
	syntax := x.syntax(ref)
	if syntax == ref.TransferSyntaxUID && x.signer == nil {
		_, err := io.Copy(w, io.NewSectionReader(o, 0, o.Size()))
		return err
	}

	f, err := dicom.OpenFile(o, o.Size(), dicom.DecodeOptions{BulkThreshold: 64 << 10})
	if err != nil {
		return err
	}
	ds, err := pixel.Transcode(e.ctx, f.DataSet, ref.TransferSyntaxUID, syntax)
	if err != nil {
		return err
	}
	if x.signer != nil {
		ds = ds.Clone()
		if err := x.signer.Sign(e.ctx, ds, syntax); err != nil {
			return err
		}
	}

	head := dicom.AppendMeta(nil, dicom.Meta{SOPClassUID: ref.SOPClassUID, SOPInstanceUID: ref.SOPInstanceUID,
		TransferSyntaxUID: syntax, ImplementationClassUID: dicom.ImplementationClassUID})
	if _, err := w.Write(head); err != nil {
		return err
	}

	return dicom.Encode(w, ds, syntax)
}

// syntax is the transfer syntax in which an instance is written. A signature
// wants the VR of each element in the file (PS3.3 C.12.1.1.3).
func (x *export) syntax(ref archive.InstanceRef) string {
	if x.Syntax != "" {
		return x.Syntax
	}
	if ts, known := dicom.LookupTransferSyntax(ref.TransferSyntaxUID); x.signer != nil && known && !ts.Encapsulated {
		return uid.ExplicitVRLittleEndian
	}

	return ref.TransferSyntaxUID
}

// finish prints the report and gives the exit code.
func (x *export) finish(e *env) error {
	if x.Output == "json" {
		if err := printJSON(e.stdout, x.report); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(e.stdout, "Wrote %s to %s; %d failed.\n",
			phrase.Count(x.report.Written, "file", "files"), x.Out, len(x.report.Failed))
	}

	var failed []error
	for _, f := range x.report.Failed {
		failed = append(failed, fmt.Errorf("%s: %s", shown.Text(f.File), f.Reason))
	}
	if e.ctx.Err() != nil {
		failed = append(failed, errors.New("interrupted: the rest was not written"))
	}
	if len(failed) > 0 && x.report.Written > 0 {
		return &exitError{exitPartial, errors.Join(failed...)}
	}

	return errors.Join(failed...)
}
