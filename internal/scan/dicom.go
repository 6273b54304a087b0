package scan

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/finding"
)

// randomTitle is an AE title of n letters that nobody has.
func randomTitle(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = 'A' + byte(rand.IntN(26))
	}
	return string(b)
}

func request(called, calling string, contexts ...ul.ProposedContext) *ul.AssociateRQ {
	for i := range contexts {
		contexts[i].ID = uint8(2*i + 1)
	}
	return &ul.AssociateRQ{CalledAETitle: called, CallingAETitle: calling, Contexts: contexts}
}

func offer(abstractSyntax string, syntaxes ...string) ul.ProposedContext {
	if len(syntaxes) == 0 {
		syntaxes = []string{uid.ImplicitVRLittleEndian}
	}
	return ul.ProposedContext{AbstractSyntax: abstractSyntax, TransferSyntaxes: syntaxes}
}

// presence asks with a protocol version that does not exist; a DICOM service
// must reject it, and no association comes about (PS3.8 9.3.2, 9.3.4).
func (d door) presence(ctx context.Context) (answer, error) {
	rq := request(randomTitle(16), callingAETitle, offer(uid.Verification))
	a, ans, err := d.associate(ctx, rq, func(pdu []byte) { // no version of the protocol at all (PS3.8 9.3.2)
		pdu[ul.HeaderLength] = 0
		pdu[ul.HeaderLength+1] = 0
	})

	if a != nil {
		a.end(false)
	}
	return ans, err
}

// dicomProbe asks one AE.
type dicomProbe struct {
	door
	d      *finding.DICOM
	broken int
}

// run makes all associations that the modes of the checks allow. It ends early
// where the host shows signs of distress.
func (p *dicomProbe) run(ctx context.Context) error {
	steps := []func(context.Context) error{
		p.stranger, p.caller, p.guess, p.strangerCalling, p.asDevice, p.identity,
		p.negotiate, p.query, p.worklist, p.move, p.get, p.count, p.store,
	}

	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
		if p.v.facts.Stopped != "" {
			return errDistress
		}
	}
	return nil
}

// stranger calls a random title (ASC-001), and verifies in that association (ASC-013).
func (p *dicomProbe) stranger(ctx context.Context) error {
	rq := request(randomTitle(16), callingAETitle, offer(uid.Verification, uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian))
	a, ans, err := p.associate(ctx, rq, nil)
	if err != nil {
		return err
	}

	p.d.RandomCalled = ans.Outcome
	if a != nil {
		p.d.KnownCalled = rq.CalledAETitle
		p.d.CalledFrom = "any"
		p.d.Ordinary = ans.Outcome
		p.accepted(a, rq)
	}
	return nil
}

// accepted reads the identity of an acceptance, verifies, and ends the association.
func (p *dicomProbe) accepted(a *association, rq *ul.AssociateRQ) {
	u := a.ac.User
	p.d.ClassUID = clean(u.ImplementationClassUID, 64)
	p.d.VersionName = clean(u.ImplementationVersionName, 16)
	p.d.HasMaxPDU = true
	p.d.MaxPDU = u.MaxPDULength

	if pc := a.context(rq, uid.Verification); pc != 0 {
		p.d.Echo = a.operate(pc, &dimse.Command{Operation: dimse.CEcho, AffectedSOPClassUID: uid.Verification}, nil, false)
		p.trouble(p.d.Echo)
	}

	a.end(p.d.Echo != nil && p.d.Echo.Answer == finding.AnswerTimeout)
}

// trouble stops the visit where an operation got no answer, or where the
// connection broke in the middle of a second one.
func (p *dicomProbe) trouble(op *finding.Operation) {
	switch op.Answer {
	case "timeout":
		p.v.stop("port %d gave no answer to an operation", p.port)
	case "closed":
		if p.broken++; p.broken > 1 {
			p.v.stop("port %d broke the connection twice in the middle of an operation", p.port)
		}
	}
}

// caller tries a title that is known: given by the operator, or told by the
// host's own web interface.
func (p *dicomProbe) caller(ctx context.Context) error {
	if p.d.KnownCalled != "" {
		return nil
	}

	for _, c := range []struct{ title, from string }{{p.v.opt.CalledAETitle, "operator"}, {p.v.title, "web"}} {
		if c.title == "" || p.d.KnownCalled != "" {
			continue
		}
		if err := p.try(ctx, c.title, c.from); err != nil {
			return err
		}
	}
	return nil
}

// try calls a title from COLLIMATOR.
func (p *dicomProbe) try(ctx context.Context, title, from string) error {
	rq := request(title, callingAETitle, offer(uid.Verification, uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian))
	a, ans, err := p.associate(ctx, rq, nil)
	if err != nil {
		return err
	}

	p.d.Ordinary = ans.Outcome
	if a != nil {
		p.d.KnownCalled, p.d.CalledFrom = title, from
		p.accepted(a, rq)
	} else if from == "operator" {
		// It is right all the same: what is refused is the caller.
		p.d.KnownCalled, p.d.CalledFrom = title, from
	}
	return nil
}

// guesses are the titles of ASC-003.
func guesses() []string {
	return []string{"ANY-SCP", "ORTHANC", "DCM4CHEE", "STORESCP", "QRSCP", "CONQUESTSRV1", "PACS", "AE_TITLE"}
}

// guess tries usual titles, one a second, until one is accepted (ASC-003, opt-in).
func (p *dicomProbe) guess(ctx context.Context) error {
	if !p.v.opt.OptIn["guess-titles"] || p.d.KnownCalled != "" || !p.d.RandomCalled.Speaks() {
		return nil
	}

	for i, title := range guesses() {
		if i > 0 {
			if err := sleep(ctx, time.Second); err != nil {
				return err
			}
		}

		p.d.GuessesTried++
		if err := p.try(ctx, title, "guess"); err != nil || p.d.KnownCalled != "" {
			return err
		}
	}
	return nil
}

// strangerCalling calls a right title from a random one (ASC-002, ASC-004).
func (p *dicomProbe) strangerCalling(ctx context.Context) error {
	if p.d.KnownCalled == "" {
		return nil
	}

	a, ans, err := p.associate(ctx, request(p.d.KnownCalled, randomTitle(12), offer(uid.Verification)), nil)
	if err != nil {
		return err
	}

	p.d.RandomCalling = ans.Outcome
	if a != nil {
		a.end(false)
	}
	return nil
}

// asDevice calls with the title of a registered device (ASC-007, opt-in).
func (p *dicomProbe) asDevice(ctx context.Context) error {
	if p.v.opt.AsDevice == "" || !p.v.opt.OptIn["as-device"] || p.d.KnownCalled == "" {
		return nil
	}

	a, ans, err := p.associate(ctx, request(p.d.KnownCalled, p.v.opt.AsDevice, offer(uid.Verification)), nil)
	if err != nil {
		return err
	}

	p.v.facts.KnownDevice = p.v.opt.AsDevice
	p.d.AsDevice = ans.Outcome
	if a != nil {
		a.end(false)
	}
	return nil
}

// identity offers a user that nobody has (ASC-005, ASC-006; PS3.7 D.3.3.7).
func (p *dicomProbe) identity(ctx context.Context) error {
	if !p.d.Stranger() {
		return nil
	}

	var err error
	p.d.Identity, p.d.IdentityAnswered, err = p.claim(ctx)
	if err != nil || !p.d.IdentityAnswered || !p.v.opt.OptIn["wrong-identity"] {
		return err
	}
	_, p.d.IdentityTwice, err = p.claim(ctx)
	return err
}

// claim associates as a user made up on the spot.
func (p *dicomProbe) claim(ctx context.Context) (o finding.Outcome, confirmed bool, err error) {
	rq := request(p.d.KnownCalled, callingAETitle, offer(uid.Verification))
	rq.User.Identity = &ul.UserIdentity{
		Kind:                      ul.IdentityUsernamePasscode,
		PositiveResponseRequested: true,
		Primary:                   ul.NewSecret([]byte("collimator-scan-" + randomTitle(8))),
		Secondary:                 ul.NewSecret([]byte(randomTitle(24))),
	}

	a, ans, err := p.associate(ctx, rq, nil)
	if a != nil {
		confirmed = a.ac.User.IdentityResponse != nil
		a.end(false)
	}
	return ans.Outcome, confirmed, err
}

// negotiate offers many contexts and uses none (ASC-009, ASC-010, DIM-004, DIM-009, DIM-010).
func (p *dicomProbe) negotiate(ctx context.Context) error {
	if !p.d.Stranger() {
		return nil
	}
	classes := append([]string{
		uid.StudyRootFind, uid.StudyRootMove, uid.StudyRootGet, uid.ModalityWorklistFind, uid.ModalityPerformedProcedureStep,
		uid.StorageCommitmentPushModel, uid.BasicGrayscalePrintManagement, uid.HangingProtocolFind, uid.UnifiedProcedureStepPush,
		uid.InstanceAvailabilityNotification,
	}, finding.StorageOffer()...)
	contexts := []ul.ProposedContext{offer(uid.Verification)}
	for _, c := range classes {
		contexts = append(contexts, offer(c))
	}

	private := impossibleUID()
	first := len(contexts)
	contexts = append(contexts,
		offer(private),
		offer(uid.SecondaryCaptureImageStorage, uid.DeflatedExplicitVRLittleEndian),
		offer(uid.SecondaryCaptureImageStorage, uid.ExplicitVRBigEndian))

	rq := request(p.d.KnownCalled, callingAETitle, contexts...)
	a, ans, err := p.associate(ctx, rq, nil)
	if err != nil || a == nil {
		return err
	}

	p.d.Negotiated = true
	p.d.Results = map[string]uint8{}
	for _, pc := range ans.ac.Contexts {
		i := int(pc.ID) / 2
		switch {
		case pc.ID%2 == 0 || i >= len(rq.Contexts):
		case i == first:
			p.d.Private = pc.Result == ul.Acceptance
		case i == first+1:
			p.d.Deflated = pc.Result == ul.Acceptance
		case i == first+2:
			p.d.BigEndian = pc.Result == ul.Acceptance
		default:
			p.d.Results[rq.Contexts[i].AbstractSyntax] = uint8(pc.Result)
		}
	}

	if len(ans.ac.Contexts) > 0 {
		if i := int(ans.ac.Contexts[0].ID) / 2; i < len(rq.Contexts) {
			p.d.FirstContext = rq.Contexts[i].AbstractSyntax
		}
	}

	a.end(false)
	return nil
}

// ask opens an association for one SOP class and does one operation in it.
func (p *dicomProbe) ask(
	ctx context.Context, class string, cmd *dimse.Command, identifier []byte, cancel bool,
) (*finding.Operation, error) {
	rq := request(p.d.KnownCalled, callingAETitle, offer(class))
	a, _, err := p.associate(ctx, rq, nil)
	if err != nil || a == nil {
		return nil, err
	}

	pc := a.context(rq, class)
	if pc == 0 {
		a.end(false)
		return nil, nil
	}

	cmd.AffectedSOPClassUID = class
	op := a.operate(pc, cmd, identifier, cancel)
	a.end(op.Answer != finding.AnswerStatus)
	p.trouble(op)
	return op, nil
}

func (p *dicomProbe) query(ctx context.Context) (err error) {
	if p.d.Accepts(uid.StudyRootFind) {
		p.d.Find, err = p.ask(ctx, uid.StudyRootFind, &dimse.Command{Operation: dimse.CFind}, studyIdentifier(impossibleUID()), false)
	}
	return err
}

func (p *dicomProbe) worklist(ctx context.Context) (err error) {
	if p.d.Accepts(uid.ModalityWorklistFind) {
		find := &dimse.Command{Operation: dimse.CFind}
		p.d.Worklist, err = p.ask(ctx, uid.ModalityWorklistFind, find, worklistIdentifier(randomTitle(16), randomTitle(24)), false)
	}
	return err
}

func (p *dicomProbe) move(ctx context.Context) (err error) {
	if p.d.Accepts(uid.StudyRootMove) {
		cmd := &dimse.Command{Operation: dimse.CMove, MoveDestination: randomTitle(16)}
		p.d.Move, err = p.ask(ctx, uid.StudyRootMove, cmd, studyIdentifier(impossibleUID()), false)
	}
	return err
}

func (p *dicomProbe) get(ctx context.Context) (err error) {
	if p.d.Accepts(uid.StudyRootGet) {
		p.d.Get, err = p.ask(ctx, uid.StudyRootGet, &dimse.Command{Operation: dimse.CGet}, studyIdentifier(impossibleUID()), false)
	}
	return err
}

// count searches for any study and cancels after the first match (DIM-002, opt-in).
func (p *dicomProbe) count(ctx context.Context) (err error) {
	if p.v.opt.OptIn["count-matches"] && p.d.Find.Allowed() {
		p.d.Count, err = p.ask(ctx, uid.StudyRootFind, &dimse.Command{Operation: dimse.CFind}, studyIdentifier(""), true)
	}
	return err
}

// store writes one labelled object, and with a second option another one under
// the same UID (DIM-005, DIM-006, opt-in).
func (p *dicomProbe) store(ctx context.Context) error {
	if !p.v.opt.OptIn["store-test-object"] || !p.d.Accepts(uid.SecondaryCaptureImageStorage) {
		return nil
	}

	o := newTestObject()
	p.d.TestObjectUID = o.instance
	store := func() *dimse.Command {
		return &dimse.Command{Operation: dimse.CStore, AffectedSOPInstanceUID: o.instance}
	}
	op, err := p.ask(ctx, uid.SecondaryCaptureImageStorage, store(), o.encode("FIRST"), false)
	if err != nil || op == nil {
		return err
	}

	p.d.Store = op
	if op.Allowed() && p.v.opt.OptIn["replace-test-object"] {
		p.d.StoreTwice, err = p.ask(ctx, uid.SecondaryCaptureImageStorage, store(), o.encode("SECOND"), false)
	}
	return err
}

// dicom asks a service that speaks DICOM and notes what it is.
func (v *visit) dicom(ctx context.Context, s *finding.Service, d door, presence answer) error {
	s.Kind = finding.KindDICOM
	s.DICOM = &finding.DICOM{TLS: d.tls, Presence: presence.Outcome, NonStandard: !slices.Contains(DICOMPorts(), s.Port)}
	if d.tls && s.TLS != nil {
		s.DICOM.ClientCertificate = s.TLS.ClientRequested
	}

	p := &dicomProbe{door: d, d: s.DICOM}
	err := p.run(ctx)
	s.Product = finding.Identify(s.DICOM)
	if errors.Is(err, errDistress) {
		return err
	}
	return ctx.Err()
}
