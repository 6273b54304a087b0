package verify

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"collimator/dicom"
	"collimator/dicom/sign"
	"collimator/internal/archive"
	"collimator/internal/fault"
)

// Signature is what a check says of a signature, or of an object without one.
type Signature struct {
	Object    string    `json:"object"` // file, or SOP Instance UID
	State     string    `json:"state"`
	Reason    string    `json:"reason,omitempty"`
	Path      string    `json:"path,omitempty"`
	UID       string    `json:"uid,omitempty"`
	Subject   string    `json:"subject,omitempty"`
	Time      time.Time `json:"time,omitzero"`
	Purpose   string    `json:"purpose,omitempty"`
	Algorithm string    `json:"algorithm,omitempty"`
	Signed    []string  `json:"signed,omitempty"` // keywords
	Unsigned  int       `json:"unsigned"`
	PixelData bool      `json:"pixelData"`

	// Verdict is State for programs; 0 for an object without signatures.
	Verdict sign.State `json:"-"`
}

// unsignedObject is the state of an object without signatures.
const unsignedObject = "no signature"

// Signatures checks the digital signatures of objects, one after the other.
// Not safe for concurrent use.
type Signatures struct {
	Options sign.Options
	Found   []Signature
}

// File checks the signatures of a Part 10 file and adds them to Found; without any, one
// entry says so.
func (k *Signatures) File(ctx context.Context, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()

	info, err := f.Stat()
	if err != nil {
		return err
	}

	return k.object(ctx, name, f, info.Size())
}

// Study checks what is stored of a study; nothing is an error of kind NotFound.
// progress is told the bytes of each instance.
func (k *Signatures) Study(ctx context.Context, a *archive.Archive, study string, progress func(bytes int64)) error {
	for ref, err := range a.Retrieve(ctx, archive.RetrieveQuery{StudyUIDs: []string{study}, Scope: archive.Everything()}) {
		if err != nil {
			return err
		}

		o, err := a.Open(ctx, ref)
		if err != nil {
			return err
		}
		if err := errors.Join(k.object(ctx, ref.SOPInstanceUID, o, o.Size()), o.Close()); err != nil {
			return err
		}

		progress(ref.Size)
	}

	if len(k.Found) == 0 {
		return fault.New(fault.NotFound, "nothing of that study is stored; look for studies with 'collimator find'")
	}

	return nil
}

// object checks the signatures of one object and adds them to Found under name. Long
// values are read from r when they are needed.
func (k *Signatures) object(ctx context.Context, name string, r io.ReaderAt, size int64) error {
	f, err := dicom.OpenFile(r, size, dicom.DecodeOptions{BulkThreshold: 64 << 10})
	if err != nil {
		return err
	}

	before := len(k.Found)
	for s, err := range sign.Verify(ctx, f.DataSet, k.Options) {
		if err != nil {
			return err
		}
		c := Signature{
			Object: name, State: s.State.String(), Verdict: s.State, Reason: s.Reason, Path: s.Path,
			UID: s.UID, Subject: s.Subject, Time: s.Time, Purpose: s.Purpose.String(), Algorithm: s.Algorithm,
			Unsigned: s.Unsigned, PixelData: s.PixelData,
		}
		for _, t := range s.Signed {
			c.Signed = append(c.Signed, t.Keyword())
		}
		k.Found = append(k.Found, c)
	}

	if len(k.Found) == before {
		k.Found = append(k.Found, Signature{Object: name, State: unsignedObject})
	}

	return nil
}

// Verdict is an error where a signature does not fit; it ends as fault.Partly where one
// is missing, or not to be trusted or checked.
func (k *Signatures) Verdict() error {
	altered := 0
	doubtful := 0
	for _, s := range k.Found {
		switch s.Verdict {
		case sign.Valid:
		case sign.Altered:
			altered++
		default:
			doubtful++
		}
	}

	if altered > 0 {
		return fmt.Errorf("signatures that do not fit, what was signed was altered after it was signed: %d", altered)
	}
	if doubtful > 0 {
		return fault.Partial("without a valid signature: %d of %d", doubtful, len(k.Found))
	}

	return nil
}

// ReadTrusted reads the certificates in PEM of all files into one pool. A file without
// any ends as fault.Misused.
func ReadTrusted(files []string) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("--trust: %w", err)
		}

		if !pool.AppendCertsFromPEM(b) {
			return nil, fault.Usage("--trust: %s holds no certificate in PEM", name)
		}
	}

	return pool, nil
}
