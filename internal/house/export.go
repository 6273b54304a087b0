package house

import (
	"context"
	"fmt"

	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/durable"
	"collimator/internal/export"
	"collimator/internal/fault"
	"collimator/internal/gate"
	"collimator/internal/identity"
	"collimator/internal/policy"
)

// Export writes what is found as files into a directory, and records it before the
// first byte leaves: an export that is killed has taken place as well. What could not
// be written is recorded after it.
func (in *Installation) Export(ctx context.Context, refs []archive.InstanceRef, o export.Options) (r export.Report, err error) {
	if err := durable.Directory(o.Dir); err != nil {
		return r, fmt.Errorf("--out: %w", err)
	}

	study := studyObject(ctx, o.Archive, refs[0].StudyUID, "files")
	if err := in.Record(ctx, export.Record(study, refs, 0)); err != nil {
		return r, err
	}
	r = export.Run(ctx, refs, o)
	if n := len(refs) - r.Written; n > 0 {
		err = in.Record(ctx, export.Record(study, refs, n))
	}
	return r, err
}

// studyObject names a study of the archive and its patient in a record.
func studyObject(ctx context.Context, a *archive.Archive, study, detail string) audit.Object {
	o := audit.Object{Study: study, Detail: detail}
	o.Patient, o.PatientIssuer, _ = a.PatientOf(ctx, study) // without where the index does not say
	return o
}

// granted looks for a study as it is granted (policy.GrantedAt) and names it in a record, whose detail
// ends with the route. The error is of kind NotFound where nothing of it is stored, or there is no such
// route; the record is good then, too.
func (in *Installation) granted(ctx context.Context, a *archive.Archive, granted string) (audit.Object, error) {
	route, study := policy.PlaceOf(granted)
	if route == "" {
		return studyObject(ctx, a, study, ""), present(ctx, a, study)
	}

	o := audit.Object{Study: study, Detail: " at route " + route}
	routes, err := gate.Load(RoutesFile(in.Config))
	if err != nil {
		return o, err
	}
	r, err := gate.Find(routes, route)
	switch {
	case fault.Of(err) == fault.NotFound:
		return o, fault.Usage("--study: there is no route %s; 'collimator gate list' names those there are", route)
	case err != nil:
		return o, err
	case !r.DICOMweb:
		return o, fault.Usage("--study: people do not reach the route %s: it has no dicomweb: true", route)
	}

	o.Patient, o.PatientIssuer, err = r.Study(ctx, study)
	return o, err
}

// present is an error of kind NotFound where nothing of a study is stored.
func present(ctx context.Context, a *archive.Archive, study string) error {
	for _, err := range a.Retrieve(ctx, archive.RetrieveQuery{StudyUIDs: []string{study}, Scope: archive.Everything()}) {
		return err
	}
	return fault.New(fault.NotFound, "nothing is stored under this Study Instance UID")
}

// Share makes a link to one study that is stored, and records it. The secret of the
// link and its password, where it has one, are shown once.
func (in *Installation) Share(ctx context.Context, a *archive.Archive,
	n identity.NewShare) (s identity.Share, secret, password string, err error) {

	o, err := in.granted(ctx, a, n.Study)
	if err != nil {
		return s, "", "", err
	}
	s, secret, password, err = in.Registry.CreateShare(ctx, n)
	if fault.Of(err) == fault.Invalid {
		err = fault.Usage("--expires: %w", err)
	}
	if err != nil {
		return s, "", "", err
	}
	o.Detail = "link " + s.ID + o.Detail
	return s, secret, password, in.Note(ctx, audit.Export, audit.Create, o)
}
