package gate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"time"

	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/policy"
	"collimator/internal/upstream"
)

// Bounds of what is remembered of a system behind the gate.
const (
	offerFor   = 10 * time.Minute
	offersMost = 256 // an answer takes up to 30 KiB
)

// offers remembers what a system behind the gate answered to proposals, so that a
// caller's association costs it none until a request is allowed. Safe for concurrent
// use.
type offers struct {
	mu    sync.Mutex
	known map[string]offer
}

type offer struct {
	acceptance dimse.Acceptance
	until      time.Time
}

func newOffers() *offers { return &offers{known: map[string]offer{}} }

// of is the answer to what is asked for: the one that is remembered, or else the system
// is asked. The association it answered on is kept for the request that follows.
func (o *offers) of(ctx context.Context, ask upstream.Ask, pool *upstream.Pool) (dimse.Acceptance, error) {
	key := proposal(ask)
	o.mu.Lock()
	before, ok := o.known[key]
	o.mu.Unlock()
	if ok && time.Now().Before(before.until) {
		return before.acceptance, nil
	}

	lease, err := pool.Take(ctx, ask)
	if err != nil {
		return dimse.Acceptance{}, err
	}
	acceptance := answerOf(lease.Association, ask)
	lease.Return()

	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.known) >= offersMost {
		clear(o.known) // nobody proposes so many: each is asked for again
	}
	o.known[key] = offer{acceptance: acceptance, until: time.Now().Add(offerFor)}
	return acceptance, nil
}

// forget drops what is remembered: the system behind answers in another way now.
func (o *offers) forget() {
	o.mu.Lock()
	defer o.mu.Unlock()
	clear(o.known)
}

// answerOf is the answer on an association, for a caller that proposed the same.
func answerOf(a *dimse.Association, ask upstream.Ask) dimse.Acceptance {
	var acc dimse.Acceptance
	roles := map[string]ul.RoleSelection{}
	for _, pc := range a.Contexts() {
		acc.Contexts = append(acc.Contexts, ul.AcceptedContext{ID: pc.ID, Result: ul.Acceptance, TransferSyntax: pc.TransferSyntax})
		roles[pc.AbstractSyntax] = ul.RoleSelection{SOPClassUID: pc.AbstractSyntax, SCU: pc.SCU, SCP: pc.SCP}
	}
	for _, asked := range ask.Roles {
		if r, ok := roles[asked.SOPClassUID]; ok {
			acc.Roles = append(acc.Roles, r)
		}
	}
	for _, asked := range ask.Extended {
		if info, ok := a.ExtendedNegotiation(asked.SOPClassUID); ok {
			acc.Extended = append(acc.Extended, ul.ExtendedNegotiation{SOPClassUID: asked.SOPClassUID, Info: info})
		}
	}
	return acc
}

// proposal is what an answer depends on, in one word of a length that nobody who asks has in
// hand.
func proposal(ask upstream.Ask) string {
	b := sha256.New()
	fmt.Fprint(b, ask.CallingAETitle)
	for _, pc := range ask.Contexts {
		fmt.Fprintf(b, "\x00%d %s %s", pc.ID, pc.AbstractSyntax, strings.Join(pc.TransferSyntaxes, " "))
	}
	for _, r := range ask.Roles {
		fmt.Fprintf(b, "\x00role %s %t %t", r.SOPClassUID, r.SCU, r.SCP)
	}
	for _, x := range ask.Extended {
		fmt.Fprintf(b, "\x00extended %s %s", x.SOPClassUID, hex.EncodeToString(x.Info))
	}
	return string(b.Sum(nil))
}

// verbsOf is what can be done with an abstract syntax; nothing with one of a service
// that the gate does not carry.
func verbsOf(abstractSyntax string) []policy.Verb {
	switch abstractSyntax {
	case uid.Verification:
		return []policy.Verb{policy.Echo}
	case uid.PatientRootFind, uid.StudyRootFind, uid.PatientStudyOnlyFind:
		return []policy.Verb{policy.Query}
	case uid.PatientRootGet, uid.StudyRootGet, uid.PatientStudyOnlyGet,
		uid.PatientRootMove, uid.StudyRootMove, uid.PatientStudyOnlyMove:
		return []policy.Verb{policy.Retrieve}
	case uid.ModalityWorklistFind:
		return []policy.Verb{policy.Worklist}
	case uid.ModalityPerformedProcedureStep:
		return []policy.Verb{policy.Performed}
	case uid.StorageCommitmentPushModel:
		return []policy.Verb{policy.Commit}
	}
	if uid.Storable(abstractSyntax) {
		return []policy.Verb{policy.Store, policy.Retrieve}
	}
	return nil
}
