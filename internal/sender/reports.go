package sender

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/internal/fault"
	"collimator/internal/tlsprofile"
)

// Reports takes N-EVENT-REPORTs of storage commitment: on the association of the
// request, and, where it listens, on one that the peer opens (PS3.4 J.3.3).
//
// The zero value does not listen. Safe for concurrent use.
type Reports struct {
	// Advice is what to do where no report comes and nobody listens.
	Advice string

	current atomic.Pointer[expectedReport]
	server  *dimse.Server // nil: it does not listen
	address string
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
func (r *Reports) expect() *expectedReport {
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
func (r *Reports) mux() *dimse.Mux {
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

// Caller is how the peer shows who it is when it calls to report.
type Caller struct {
	Own   *tls.Certificate // ours; nil talks without TLS and takes any caller
	Trust tlsprofile.Trust
}

// Listen takes reports also on associations that the peer opens to an address of
// ours, HOST:PORT. An address that cannot be listened on is fault.Misused. Close
// ends it.
func Listen(address string, c Caller) (*Reports, error) {
	if _, _, err := net.SplitHostPort(address); err != nil {
		return nil, fault.Usage("want HOST:PORT of this machine")
	}
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fault.Ended(fault.Misused, err)
	}

	r := &Reports{address: ln.Addr().String()}
	r.server = &dimse.Server{Mux: r.mux(), Admit: c.admit}
	if c.Own != nil {
		r.server.TLSConfig = tlsprofile.AssociationServer(func() (*tls.Certificate, error) { return c.Own, nil })
	}

	ctx, cancel := context.WithCancel(context.Background())
	r.stop = cancel
	r.done = make(chan struct{})
	go func() { // ended by Close
		defer close(r.done)
		_ = r.server.Serve(ctx, ln) // its error is that it was closed
	}()

	return r, nil
}

var errStranger = errors.New("the caller is not the peer that was asked")

// admit lets the peer in that was asked, to report. It proposes itself as SCP
// (PS3.4 J.3.3, PS3.7 D.3.3.4).
func (c Caller) admit(_ context.Context, rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
	if c.Own != nil && (rq.TLS == nil || c.Trust.VerifyCaller(*rq.TLS) != nil) {
		return dimse.Acceptance{}, errStranger
	}

	return dimse.Negotiate(rq, dimse.Support{
		TransferSyntaxes: func(class string) []string {
			if class != uid.StorageCommitmentPushModel && class != uid.Verification {
				return nil
			}
			return NativeSyntaxes()
		},
		Roles: func(string) (scu, scp bool) { return true, true },
	}), nil
}

// Address is where it listens; empty where it does not.
func (r *Reports) Address() string { return r.address }

func (r *Reports) listens() bool { return r.server != nil }

// advice is what to do where no report comes.
func (r *Reports) advice() string {
	if r.listens() || r.Advice == "" {
		return ""
	}
	return "; " + r.Advice
}

// releaseWait is how long a peer that has reported may take to release its association.
const releaseWait = 2 * time.Second

// Close ends the listener and waits for it. A peer whose association is cut off
// before its release could take its report for lost.
func (r *Reports) Close() {
	if r.server == nil {
		return
	}
	for end := time.Now().Add(releaseWait); r.server.Stats().Associations > 0 && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}

	r.stop()
	<-r.done
}

// TakeReports listens for the reports of a peer at an address of ours, as --listen gives
// it; without one nobody listens.
func TakeReports(d *Peer, address string, plain bool) (*Reports, error) {
	if address == "" {
		return &Reports{Advice: "with --listen HOST:PORT it is taken there"}, nil
	}
	if !plain && d.Own == nil {
		return nil, fault.Usage("--listen needs the own key and certificate (--as, or --key and --cert): the peer calls over TLS")
	}
	r, err := Listen(address, d.Caller)
	if err != nil {
		return nil, fmt.Errorf("--listen: %w", err)
	}
	return r, nil
}
