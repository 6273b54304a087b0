package main

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/internal/tlsprofile"
)

// reports takes N-EVENT-REPORTs of storage commitment: on the association of the
// request, and, where it listens, on one that the peer opens (PS3.4 J.3.3).
type reports struct {
	current atomic.Pointer[expectedReport]
	server  *dimse.Server // nil: it does not listen
	stop    context.CancelFunc
	done    chan struct{}
}

// expectedReport is the report of one request.
type expectedReport struct {
	transaction string
	came        chan *dicom.DataSet
	answered    chan struct{} // its N-EVENT-REPORT-RSP is written
}

// expect begins a request: each has a transaction UID of its own (PS3.4 J.3.2.1.1).
func (r *reports) expect() *expectedReport {
	x := &expectedReport{
		transaction: uid.New(),
		came:        make(chan *dicom.DataSet, 1),
		answered:    make(chan struct{}, 1),
	}
	r.current.Store(x)
	return x
}

// mux answers reports. One counts only with the transaction UID that was asked
// with: nobody else knows it.
func (r *reports) mux() *dimse.Mux {
	mux := dimse.NewMux(dimse.Unguarded)
	mux.HandleEcho(nil)
	mux.HandleN(dimse.NEventReport, func(_ context.Context, _ *dimse.Association, rq *dimse.NRequest) dimse.NResponse {
		x := r.current.Load()
		if rq.DataSet == nil || x == nil || rq.DataSet.Text(tag.TransactionUID) != x.transaction {
			return dimse.NResponse{Status: dimse.InvalidArgumentValue.With("unknown transaction")}
		}
		select {
		case x.came <- rq.DataSet:
			// Who releases before the response is written leaves the peer without
			// one: it reports again, to nobody.
			rq.After = func(context.Context) { x.answered <- struct{}{} }
		default: // it came before
		}
		return dimse.NResponse{}
	}, uid.StorageCommitmentPushModel)
	return mux
}

// reports opens the listener of --listen.
func (c *sendCmd) reports(d *dialer) (*reports, error) {
	r := &reports{}
	if c.Listen == "" {
		return r, nil
	}
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		return nil, usageError("--listen: want HOST:PORT of this machine")
	}
	if !c.Plain && d.own == nil {
		return nil, usageError("--listen needs the own key and certificate (--as, or --key and --cert): the peer calls over TLS")
	}

	ln, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return nil, usageError("--listen: %w", err)
	}
	r.server = &dimse.Server{Mux: r.mux(), Admit: d.admitReport}
	if !c.Plain {
		r.server.TLSConfig = tlsprofile.AssociationServer(d.ownCertificate)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.stop = cancel
	r.done = make(chan struct{})
	go func() { // ended by close
		defer close(r.done)
		_ = r.server.Serve(ctx, ln) // its error is that it was closed
	}()
	return r, nil
}

var errStranger = errors.New("the caller is not the peer that was asked")

// admitReport lets the peer in that was asked, to report. It proposes itself as
// SCP (PS3.4 J.3.3, PS3.7 D.3.3.4).
func (d *dialer) admitReport(_ context.Context, rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
	if d.own != nil && (rq.TLS == nil || d.trust.VerifyCaller(*rq.TLS) != nil) {
		return dimse.Acceptance{}, errStranger
	}
	return dimse.Negotiate(rq, dimse.Support{
		TransferSyntaxes: func(class string) []string {
			if class != uid.StorageCommitmentPushModel && class != uid.Verification {
				return nil
			}
			return nativeSyntaxes()
		},
		Roles: func(string) (scu, scp bool) { return true, true },
	}), nil
}

func (r *reports) listens() bool { return r.server != nil }

// advice is what to do where no report comes.
func (r *reports) advice() string {
	if r.listens() {
		return ""
	}
	return "; with --listen HOST:PORT it is taken there"
}

// releaseWait is how long a peer that has reported may take to release its association.
const releaseWait = 2 * time.Second

// close ends the listener and waits for it. A peer whose association is cut off
// before its release could take its report for lost.
func (r *reports) close() {
	if r.server == nil {
		return
	}
	for end := time.Now().Add(releaseWait); r.server.Stats().Associations > 0 && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}

	r.stop()
	<-r.done
}
