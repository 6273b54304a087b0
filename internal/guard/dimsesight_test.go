package guard

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/archive"
	"collimator/internal/house/housetest"
	"collimator/internal/policy"
)

// long answers a query or a retrieval by results of which meanwhile is asked after
// a few.
type long struct {
	studies   []string // in turn
	given     int
	meanwhile func()
}

const (
	longAll    = 20
	longBefore = 3
)

func (l *long) give() (study string) {
	study = l.studies[l.given%len(l.studies)]
	if l.given++; l.given == longBefore {
		l.meanwhile()
	}
	return study
}

func (l *long) find(_ context.Context, _ *dimse.Association, _ *dimse.FindRequest, yield func(dimse.Match) bool) dimse.Status {
	for range longAll {
		match := dicom.NewDataSet()
		match.SetText(tag.StudyInstanceUID, l.give())
		if !yield(dimse.Match{Identifier: match}) {
			break
		}
	}
	return dimse.Status{}
}

func (l *long) get(context.Context, *dimse.Association, *dimse.RetrieveRequest) (*dimse.RetrievePlan, dimse.Status) {
	return &dimse.RetrievePlan{Count: longAll, SubOperations: func(yield func(dimse.SubOperation) bool) {
		for i := range longAll {
			study := l.give()
			open := func(context.Context, []string) (io.ReadCloser, string, error) {
				return io.NopCloser(strings.NewReader("")), uid.ImplicitVRLittleEndian, nil
			}
			if !yield(dimse.SubOperation{Ref: archive.InstanceRef{StudyUID: study}, SOPClassUID: uid.CTImageStorage, SOPInstanceUID: fmt.Sprintf("%s.%d", study, i),
				TransferSyntaxes: []string{uid.ImplicitVRLittleEndian}, Open: open}) {
				return
			}
		}
	}}, dimse.Status{}
}

// serveLong is a workstation at which a person asks.
func serveLong(t *testing.T, person string, l *long) (*served, *dimse.Association) {
	t.Helper()
	s := &served{door: newDoor(t)}
	cert := s.device(device, nil)
	mux := s.NewMux()
	mux.HandleFind(l.find)
	mux.HandleGet(l.get)
	full := dimse.Support{
		TransferSyntaxes: func(string) []string { return []string{uid.ImplicitVRLittleEndian} },
		Roles:            func(string) (bool, bool) { return true, true },
	}
	s.address = housetest.Listen(t, &dimse.Server{Mux: mux, Admit: func(ctx context.Context, rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
		rq.TLS = request(device, cert).TLS // as if the connection had it
		rq.Identity = &ul.UserIdentity{
			Kind:      ul.IdentityUsernamePasscode,
			Primary:   ul.NewSecret([]byte(person)),
			Secondary: ul.NewSecret([]byte(housetest.Password)),
		}
		return s.Admit(ctx, rq, Offer(full))
	}})
	s.person(person, policy.Referrer)
	for _, study := range []string{"1.2.1", "1.2.2"} {
		if err := s.Registry.GrantStudy(t.Context(), person, study); err != nil {
			t.Fatal(err)
		}
	}

	a, err := dimse.Dial(t.Context(), s.address, dimse.Config{CallingAETitle: device, CalledAETitle: ownTitle,
		Contexts: dimse.Propose([]string{uid.CTImageStorage, uid.StudyRootFind, uid.StudyRootGet}, []string{uid.ImplicitVRLittleEndian}, false),
		Roles:    []ul.RoleSelection{{SOPClassUID: uid.CTImageStorage, SCU: true, SCP: true}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Abort)
	return s, a
}

// What was chosen while a person might see two studies does not go on leaving when
// one is taken back: neither of a search nor of a retrieval.
func TestAGrantThatIsTakenBackEndsWhatRunsAtAWorkstation(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		asked   string // to get; empty: to find
		taken   string
		results int
		status  dimse.StatusCode
	}{
		"a search, one of two studies":      {"", "1.2.2", longBefore - 1, dimse.NotAuthorized},
		"a search, nothing":                 {"", "", longAll, dimse.Success},
		"a retrieval of that study":         {"1.2.1", "1.2.1", longBefore, dimse.NotAuthorized},
		"a retrieval of the other":          {"1.2.1", "1.2.2", longAll, dimse.Success},
		"a retrieval, nothing":              {"1.2.1", "", longAll, dimse.Success},
		"of several studies, never allowed": {`1.2.1\1.2.2`, "", 0, dimse.NotAuthorized},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := &long{studies: []string{"1.2.1", "1.2.2"}}
			if c.asked != "" {
				l.studies = strings.Split(c.asked, `\`)
			}
			s, a := serveLong(t, "practice", l)
			l.meanwhile = func() {
				s.clock.Advance(2 * watchEvery)
				if c.taken == "" {
					return
				}
				if err := s.Registry.UngrantStudy(context.Background(), "practice", c.taken); err != nil {
					t.Error(err)
				}
			}

			results, err := ask(t, a, c.asked)
			if results != c.results || statusOf(err) != c.status {
				t.Errorf("%d results, then %v", results, err)
			}
		})
	}
}

// ask finds, or gets studies, and counts what comes.
func ask(t *testing.T, a *dimse.Association, studies string) (results int, err error) {
	t.Helper()
	ds := dicom.NewDataSet()
	ds.SetText(tag.QueryRetrieveLevel, "STUDY")
	if studies == "" {
		ds.SetText(tag.StudyInstanceUID, "")
		for _, err := range a.Find(t.Context(), dimse.FindRequest{SOPClassUID: uid.StudyRootFind, Identifier: ds}) {
			if err != nil {
				return results, err
			}
			results++
		}
		return results, nil
	}

	ds.SetText(tag.StudyInstanceUID, strings.Split(studies, `\`)...)
	_, err = a.Get(t.Context(), dimse.GetRequest{SOPClassUID: uid.StudyRootGet, Identifier: ds,
		Store: func(_ context.Context, _ *dimse.Association, rq *dimse.StoreRequest) dimse.Status {
			io.Copy(io.Discard, rq.Data)
			results++
			return dimse.Status{}
		}})
	return results, err
}
