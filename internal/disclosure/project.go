package disclosure

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash/fnv"
	"slices"
	"sync"

	"collimator/dicom/deid"
	"collimator/dicomweb"
	"collimator/internal/policy"
)

// Projects hands out a repository without identities. Each project has a key of
// its own, made from one secret, so that what two projects see cannot be
// linked. Safe for concurrent use.
type Projects struct {
	of      Repository
	secret  []byte
	profile deid.Profile

	mu   sync.Mutex
	open map[string]*project
	used []string // names, the one used last at the end
}

// openProjects is how many projects are kept ready.
const openProjects = 64

// NewProjects makes projects of a secret of deid.KeySize bytes or more, which
// must stay the same for pseudonyms to stay the same.
func NewProjects(of Repository, secret []byte, p deid.Profile) *Projects {
	return &Projects{of: of, secret: secret, profile: p, open: map[string]*project{}}
}

// For makes the same projects of another repository: with the same pseudonyms for the same UIDs.
func (p *Projects) For(of Repository) *Projects { return NewProjects(of, p.secret, p.profile) }

// get finds a project that is open, or opens it. The openProjects used last stay open;
// one that is opened again has the same pseudonyms.
func (p *Projects) get(name string) *project {
	p.mu.Lock()
	defer p.mu.Unlock()

	if i := slices.Index(p.used, name); i >= 0 {
		p.used = append(slices.Delete(p.used, i, i+1), name)
		return p.open[name]
	}

	if len(p.used) == openProjects {
		delete(p.open, p.used[0])
		p.used = slices.Delete(p.used, 0, 1)
	}

	h := hmac.New(sha256.New, p.secret)
	h.Write([]byte("project\x00" + name))
	key := h.Sum(nil)
	pr := &project{
		of:       p.of,
		key:      key,
		deid:     deid.New(key, p.profile),
		studies:  map[uint64]int64{},
		members:  map[string]*members{},
		verdicts: map[string]bool{},
	}

	p.open[name] = pr
	p.used = append(p.used, name)
	return pr
}

// project is a repository as one project sees it: what has which pseudonym.
type project struct {
	of   Repository
	key  []byte
	deid *deid.Deidentifier

	mu      sync.Mutex
	studies map[uint64]int64 // hash of a study's pseudonym: its number
	last    int64            // number up to which studies are known
	members map[string]*members
	used    []string // studies of members, the one used last at the end

	verdicts map[string]bool // by digest of an object: it is refused
}

// members are the series and instances of a study by pseudonym.
type members struct{ series, instances map[string]string }

// openMembers is of how many studies the pseudonyms are kept.
const openMembers = 16

// version says that the content is the same without giving its digest away.
func (p *project) version(digest string) string {
	h := hmac.New(sha256.New, p.key)
	h.Write([]byte("version\x00" + digest))
	return hex.EncodeToString(h.Sum(nil))[:32]
}

// reveal finds what a pseudonymous resource stands for. found is false for what
// the project has never handed out.
func (p *project) reveal(ctx context.Context, r dicomweb.Resource, sight policy.Sight) (real dicomweb.Resource, found bool, err error) {
	if r.StudyUID == "" {
		return real, r == dicomweb.Resource{}, nil
	}

	if real.StudyUID, err = p.study(ctx, r.StudyUID, sight); err != nil || real.StudyUID == "" {
		return real, false, err
	}

	for _, fresh := range []bool{false, true} {
		m, err := p.membersOf(ctx, real.StudyUID, fresh)
		if err != nil {
			return real, false, err
		}
		real.SeriesUID, real.SOPInstanceUID = m.series[r.SeriesUID], m.instances[r.SOPInstanceUID]
		if (r.SeriesUID == "") == (real.SeriesUID == "") && (r.SOPInstanceUID == "") == (real.SOPInstanceUID == "") {
			return real, true, nil
		}
	}
	return real, false, nil
}

// study finds a study by its pseudonym; empty when there is none.
func (p *project) study(ctx context.Context, pseudonym string, sight policy.Sight) (string, error) {
	if !sight.Everything {
		for _, uid := range sight.Studies {
			if p.deid.UID(uid) == pseudonym {
				return uid, nil
			}
		}
		return "", nil
	}

	number, ok, err := p.numberOf(ctx, pseudonym)
	if err != nil || !ok {
		return "", err
	}

	uid, err := p.of.StudyUID(ctx, number)
	if err != nil || uid == "" || p.deid.UID(uid) != pseudonym {
		return "", err
	}
	return uid, nil
}

// numberOf finds the number of a study by its pseudonym. New studies are read
// without holding up others: two who read the same ones learn the same.
func (p *project) numberOf(ctx context.Context, pseudonym string) (number int64, ok bool, err error) {
	wanted := hash(pseudonym)
	for {
		p.mu.Lock()
		number, ok = p.studies[wanted]
		last := p.last
		p.mu.Unlock()
		if ok {
			return number, true, nil
		}

		list, err := p.of.StudiesAfter(ctx, last, 1000)
		if err != nil || len(list) == 0 {
			return 0, false, err
		}
		p.learn(list)
	}
}

// learn takes up studies in order of their numbers.
func (p *project) learn(list []StudyNumber) {
	hashes := make([]uint64, len(list))
	for i, s := range list {
		hashes[i] = hash(p.deid.UID(s.UID))
	}

	p.mu.Lock()
	defer p.mu.Unlock()
	for i, s := range list {
		p.studies[hashes[i]] = s.Number
		p.last = max(p.last, s.Number)
	}
}

func hash(s string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(s))
	return h.Sum64()
}

// membersOf reads the pseudonyms of a study's series and instances, or takes
// those that were read before. An entry is never wrong, but may be missing.
func (p *project) membersOf(ctx context.Context, study string, fresh bool) (*members, error) {
	p.mu.Lock()
	m := p.members[study]
	p.mu.Unlock()
	if m != nil && !fresh {
		return m, nil
	}

	m = &members{series: map[string]string{}, instances: map[string]string{}}

	for ref, err := range p.of.Members(ctx, study) {
		if err != nil {
			return nil, err
		}
		m.series[p.deid.UID(ref.SeriesUID)] = ref.SeriesUID
		m.instances[p.deid.UID(ref.SOPInstanceUID)] = ref.SOPInstanceUID
	}

	p.mu.Lock()
	defer p.mu.Unlock()

	if i := slices.Index(p.used, study); i >= 0 {
		p.used = slices.Delete(p.used, i, i+1)
	} else if len(p.used) == openMembers {
		delete(p.members, p.used[0])
		p.used = slices.Delete(p.used, 0, 1)
	}
	p.members[study] = m
	p.used = append(p.used, study)
	return m, nil
}

// hide is the resource under which the project sees an instance.
func (p *project) hide(ref dicomweb.Resource) dicomweb.Resource {
	return dicomweb.Resource{
		StudyUID:       p.deid.UID(ref.StudyUID),
		SeriesUID:      p.deid.UID(ref.SeriesUID),
		SOPInstanceUID: p.deid.UID(ref.SOPInstanceUID),
	}
}
