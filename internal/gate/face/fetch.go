package face

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dicomweb"
	"collimator/internal/fault"
	"collimator/internal/gate"
	"collimator/internal/policy"
)

// listedFor is how long a list of a series counts: the frames of its images are many requests.
const listedFor = 10 * time.Second

// Bounds of a study and a series.
const (
	seriesMost    = 10_000
	instancesMost = 20_000
	membersMost   = 100_000 // instances of a study whose pseudonyms are looked for
	patientMost   = 256     // bytes of a Patient ID: 64 characters of any character set
)

var errLarge = fault.Newf(fault.TooLarge, "face: more than %d series of a study, or %d instances of a series", seriesMost, instancesMost)

// errPatient refuses what no Patient ID is: nothing could be held against it.
var errPatient = fault.Newf(fault.Unavailable, "face: the system behind the route names a patient with more than %d bytes", patientMost)

// errMembers refuses to look for pseudonyms in a study that is none.
var errMembers = fault.Newf(fault.TooLarge, "face: more than %d instances of a study", membersMost)

// errSight stops what would leave although its caller may not see it.
var errSight = fault.New(fault.Internal, "face: an instance that the caller may not see was about to leave")

// fetched gives the instances of a resource from the disk, fetched before where they are not there.
// Each stays there until ctx ends.
func (b *Backend) fetched(ctx context.Context, r dicomweb.Resource, sight policy.Sight) iter.Seq2[*kept, error] {
	return func(yield func(*kept, error) bool) {
		if !sees(sight, r.StudyUID) {
			return
		}
		uids := []string{r.SeriesUID}
		if r.SeriesUID == "" {
			var err error
			if uids, err = b.seriesOf(ctx, r.StudyUID); err != nil {
				yield(nil, err)
				return
			}
		}

		for _, series := range uids {
			list, err := b.load(ctx, seriesKey{b.name, b.behind.System(), r.StudyUID, series}, r.SOPInstanceUID)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, k := range list {
				if !sees(sight, k.StudyUID) {
					yield(nil, errSight)
					return
				}
				if !yield(k, nil) {
					return
				}
			}
		}
	}
}

// load has the instances of a series on the disk, all or one, and gives them in order.
func (b *Backend) load(ctx context.Context, key seriesKey, instance string) ([]*kept, error) {
	s := b.cache.hold(key)
	defer b.cache.release(s)
	b.cache.again(s) // for who reads: until the request ends, which may be before this does
	context.AfterFunc(ctx, func() { b.cache.release(s) })
	if err := s.take(ctx); err != nil {
		return nil, err
	}
	defer s.give()

	if err := b.list(ctx, s); err != nil {
		return nil, err
	}
	want := gate.Wanted{StudyUID: key.study, SeriesUID: key.series, Patient: s.patient, Instances: map[string]string{}}
	var asked []string
	for _, i := range s.instance {
		if instance != "" && i.uid != instance {
			continue
		}
		asked = append(asked, i.uid)
		if b.cache.get(s, i.uid) == nil {
			want.Instances[i.uid] = i.class
		}
	}
	want.Whole = len(want.Instances) == len(s.instance)

	if len(want.Instances) > 0 {
		p := &pen{c: b.cache, s: s}
		defer p.end() // before the next has the turn
		if err := b.behind.Fetch(ctx, want, p.put); err != nil {
			return nil, err
		}
	}

	var list []*kept
	for _, one := range asked {
		if k := b.cache.get(s, one); k != nil {
			list = append(list, k)
		}
	}
	return list, nil
}

// list asks the system behind what is in a series, and whose the study is, unless that was asked a
// moment ago. The caller has the turn.
func (b *Backend) list(ctx context.Context, s *series) error {
	if !s.listed.IsZero() && b.now().Sub(s.listed) < listedFor {
		return nil
	}

	patient, found, err := b.patientOf(ctx, s.key.study)
	if err != nil {
		return err
	}
	var list []listed
	if found {
		if list, err = b.instancesOf(ctx, s.key.study, s.key.series); err != nil {
			return err
		}
	}
	return b.cache.list(s, patient, list)
}

// patientOf is the Patient ID of a study as the system behind says; empty where it does not.
func (b *Backend) patientOf(ctx context.Context, study string) (patient string, found bool, err error) {
	q, err := gate.Identifier("STUDY", map[tag.Tag]string{tag.StudyInstanceUID: study, tag.PatientID: ""})
	if err != nil {
		return "", false, err
	}
	for m, err := range b.behind.Find(ctx, q) {
		if err != nil {
			return "", false, err
		}
		if m.Identifier.Text(tag.StudyInstanceUID) == study {
			if patient = m.Identifier.Text(tag.PatientID); len(patient) > patientMost {
				return "", false, errPatient
			}
			return patient, true, nil
		}
	}
	return "", false, nil
}

// seriesOf lists the series of a study.
func (b *Backend) seriesOf(ctx context.Context, study string) (uids []string, err error) {
	numbers := map[string]int64{}
	err = b.eachSeries(ctx, study, tag.SeriesNumber, func(series string, ds *dicom.DataSet) {
		if _, again := numbers[series]; !again {
			numbers[series], _ = ds.Int(tag.SeriesNumber)
			uids = append(uids, series)
		}
	})
	if err != nil {
		return nil, err
	}

	slices.SortFunc(uids, func(x, y string) int { return cmp.Or(cmp.Compare(numbers[x], numbers[y]), cmp.Compare(x, y)) })
	return uids, nil
}

// eachSeries asks for the series of a study with one more key, and gives them as they come: one that
// is told of twice comes twice.
func (b *Backend) eachSeries(ctx context.Context, study string, key tag.Tag, found func(series string, ds *dicom.DataSet)) error {
	q, err := gate.Identifier("SERIES", map[tag.Tag]string{tag.StudyInstanceUID: study, tag.SeriesInstanceUID: "", key: ""})
	if err != nil {
		return err
	}

	seen := map[string]bool{}
	for m, err := range b.behind.Find(ctx, q) {
		if err != nil {
			return err
		}
		one := m.Identifier.Text(tag.SeriesInstanceUID)
		if !of(m.Identifier, tag.StudyInstanceUID, study) || !uid.Tolerable(one) {
			continue
		}
		if seen[one] = true; len(seen) > seriesMost {
			return errLarge
		}
		found(one, m.Identifier)
	}
	return nil
}

// instancesOf lists the instances of a series.
func (b *Backend) instancesOf(ctx context.Context, study, series string) (list []listed, err error) {
	q, err := gate.Identifier("IMAGE", map[tag.Tag]string{
		tag.StudyInstanceUID: study, tag.SeriesInstanceUID: series, tag.SOPInstanceUID: "", tag.SOPClassUID: "", tag.InstanceNumber: "",
	})
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for m, err := range b.behind.Find(ctx, q) {
		if err != nil {
			return nil, err
		}
		one := m.Identifier.Text(tag.SOPInstanceUID)
		own := of(m.Identifier, tag.StudyInstanceUID, study) && of(m.Identifier, tag.SeriesInstanceUID, series)
		if seen[one] || !uid.Tolerable(one) || !own {
			continue
		}

		seen[one] = true
		if len(list) == instancesMost {
			return nil, errLarge
		}
		class := m.Identifier.Text(tag.SOPClassUID)
		if !uid.Storable(class) {
			class = ""
		}
		n, _ := m.Identifier.Int(tag.InstanceNumber)
		list = append(list, listed{one, class, n})
	}
	slices.SortFunc(list, func(x, y listed) int { return cmp.Or(cmp.Compare(x.number, y.number), cmp.Compare(x.uid, y.uid)) })
	return list, nil
}

// Members implements disclosure.Repository: nothing is fetched.
func (b *Backend) Members(ctx context.Context, study string) iter.Seq2[dicomweb.Resource, error] {
	return func(yield func(dicomweb.Resource, error) bool) {
		series, err := b.seriesOf(ctx, study)
		if err != nil {
			yield(dicomweb.Resource{}, err)
			return
		}
		all := 0
		for _, one := range series {
			list, err := b.instancesOf(ctx, study, one)
			if all += len(list); err == nil && all > membersMost {
				err = errMembers
			}
			if err != nil {
				yield(dicomweb.Resource{}, err)
				return
			}
			for _, i := range list {
				if !yield(dicomweb.Resource{StudyUID: study, SeriesUID: one, SOPInstanceUID: i.uid}, nil) {
					return
				}
			}
		}
	}
}
