package posture

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/finding"
	"collimator/internal/report"
	"collimator/internal/scan"
)

// Order is a scan that somebody asks for.
type Order struct {
	Targets []string
	// Ports are the only ones; empty: those of DICOM, HL7 and of web services.
	Ports string
	// CalledAETitle is known to be right.
	CalledAETitle string
	// Schedule names the schedule that began it; empty: somebody asked.
	Schedule string
	// Kind, By, Address and Door say who, as they stand in the record.
	Kind, By, Address string
	Door              audit.Door
}

// State is where a scan stands.
type State string

// The states.
const (
	Running State = "running"
	Done    State = "done"
	Stopped State = "stopped" // somebody stopped it, or the server ended
	Failed  State = "failed"
)

// Job is a scan with how far it is.
type Job struct {
	ID       string    `json:"id"`
	State    State     `json:"state"`
	Targets  []string  `json:"targets"`
	By       string    `json:"by"`
	Schedule string    `json:"schedule,omitempty"`
	Started  time.Time `json:"started"`
	Ended    time.Time `json:"ended,omitzero"`
	// Looked of Addresses were looked at. SecondsLeft is an estimate; -1 while
	// there is none.
	Looked      uint64 `json:"looked"`
	Addresses   uint64 `json:"addresses"`
	SecondsLeft int64  `json:"secondsLeft"`
	// Found are hosts with services so far, at most 1000; Hosts counts them all.
	Hosts    int        `json:"hosts"`
	Found    []Found    `json:"found,omitempty"`
	Issues   Severities `json:"issues"`
	Sentence string     `json:"sentence,omitempty"`
	Error    string     `json:"error,omitempty"`
}

// Severities counts issues.
type Severities struct {
	Critical int `json:"critical"`
	High     int `json:"high"`
	Medium   int `json:"medium"`
	Low      int `json:"low"`
	Info     int `json:"info"`
}

func (s *Severities) add(x finding.Severity) {
	*[]*int{&s.Info, &s.Low, &s.Medium, &s.High, &s.Critical}[min(x, finding.Critical)]++
}

// Found is a host with services.
type Found struct {
	Address  string   `json:"address"`
	Name     string   `json:"name,omitempty"`
	Services []string `json:"services"`
	Issues   int      `json:"issues"`
	Worst    string   `json:"worst,omitempty"`
}

// Bounds of what is kept: scans, hosts of one, targets of an order.
const (
	historyMost = 50
	foundMost   = 1000
	targetsMost = 256
)

// job is a running scan. Posture.mu guards info.
type job struct {
	info   Job
	cancel context.CancelCauseFunc
	done   chan struct{}
}

var (
	errStopped = errors.New("stopped by request")
	errBusy    = fault.New(fault.Conflict, "posture: another scan is running; wait for its end, or stop it")
	errUnknown = fault.New(fault.NotFound,
		"posture: there is no such scan; only the last ones are kept, and none over a restart")
)

// Start begins a scan and returns at once. Targets outside of the declared scope
// are refused (kind Denied) and nothing is sent; while another one runs the kind
// is Conflict. ctx bounds the beginning only: Close ends the scan.
func (p *Posture) Start(ctx context.Context, o Order) (Job, error) {
	opt, err := p.options(ctx, o)
	if err != nil {
		return Job{}, err
	}

	if _, err := scan.Explain(*opt); err != nil { // plans it against the scope and sends nothing
		record := scanned("scan refused", fault.Text(err))
		record.Outcome = audit.MinorFailure
		if trailErr := p.write(ctx, o, record); trailErr != nil {
			return Job{}, trailErr
		}

		if errors.Is(err, scan.ErrScope) {
			return Job{}, fault.Wrap(fault.Denied, err, "posture: refused, and nothing was sent")
		}
		return Job{}, fault.Wrap(fault.Invalid, err, "posture: no scan")
	}

	work, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	j := &job{cancel: cancel, done: make(chan struct{})}

	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current != nil || p.ended {
		cancel(nil)
		return Job{}, errBusy
	}

	p.last++
	j.info = Job{
		ID: strconv.FormatInt(p.last, 10), State: Running,
		Targets: o.Targets, By: o.By, Schedule: o.Schedule,
		Started: p.Now().UTC(), SecondsLeft: -1,
	}
	p.current = j

	p.running.Go(func() {
		defer cancel(nil)
		p.scan(work, j, o, opt)
	})

	return j.info, nil
}

// options puts an order together with the declared scope and the advisories.
func (p *Posture) options(ctx context.Context, o Order) (*scan.Options, error) {
	if len(o.Targets) == 0 || len(o.Targets) > targetsMost {
		return nil, fault.Newf(fault.Invalid, "posture: a scan has 1 to %d targets", targetsMost)
	}

	scope, err := p.Scope()
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "posture: the declared scope")
	}

	opt := &scan.Options{Scope: scope, CalledAETitle: o.CalledAETitle, Now: p.Now, Roots: p.Roots}

	if o.Ports != "" {
		if opt.Ports, err = scan.ParsePorts(o.Ports); err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "posture: ports")
		}
		opt.HL7Ports = []uint16{}
		opt.NoHost = true
	}

	for _, text := range o.Targets {
		list, err := scan.ParseTarget(ctx, text, scan.Resolve)
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "posture: target")
		}
		opt.Targets = append(opt.Targets, list...)
	}

	table, err := p.Inventory.Advisories(ctx)
	if err != nil {
		return nil, err
	}

	opt.Advise = Advise(table)
	return opt, nil
}

// write records what a scan did in the name of whoever ordered it, also after ctx has
// ended.
func (p *Posture) write(ctx context.Context, o Order, records ...audit.Record) error {
	for i := range records {
		r := &records[i]
		r.Door = o.Door
		r.Kind = o.Kind
		r.Principal = o.By
		if r.Peer.Address == "" {
			r.Peer.Address = o.Address
		}
	}

	return p.Trail.Write(context.WithoutCancel(ctx), records...)
}

// tap is a sink that counts on the way to the inventory.
type tap struct {
	*Recorder
	p *Posture
	j *job
}

// Record implements scan.Sink.
func (t tap) Record(ctx context.Context, h *scan.HostResult) error {
	t.p.mu.Lock()
	t.j.info.found(h)
	t.p.mu.Unlock()
	return t.Recorder.Record(ctx, h)
}

func (j *Job) found(h *scan.HostResult) {
	address := h.Facts.Address.String()
	if slices.ContainsFunc(j.Found, func(f Found) bool { return f.Address == address }) {
		return // seen before, and judged again
	}

	f := Found{Address: address, Name: h.Facts.Name, Services: scan.Services(h.Facts), Issues: len(h.Issues)}
	if len(h.Issues) > 0 {
		worst := slices.MaxFunc(h.Issues, func(a, b finding.Issue) int { return cmp.Compare(a.Severity, b.Severity) })
		f.Worst = worst.Severity.String()
	}

	for _, i := range h.Issues {
		j.Issues.add(i.Severity)
	}

	j.Hosts++
	if len(j.Found) < foundMost {
		j.Found = append(j.Found, f)
	}
}

// scan runs a scan to its end and moves it from the current one to the history. A
// failure goes to the log and the trail.
func (p *Posture) scan(ctx context.Context, j *job, o Order, opt *scan.Options) {
	result, err := p.recorded(ctx, j, o, opt)

	p.mu.Lock()
	info := &j.info
	info.Ended = p.Now().UTC()
	info.SecondsLeft = 0
	info.State = Done

	if result != nil {
		info.Looked, info.Addresses = result.Looked, result.Addresses
		info.Sentence = report.Sentence(result.Issues())
	}

	switch {
	case errors.Is(err, errStopped), err != nil && ctx.Err() != nil:
		info.State = Stopped
		info.Error = "stopped before the end"
	case err != nil:
		info.State = Failed
		info.Error = fault.Text(err)
	}

	done := *info
	p.history = append([]Job{done}, p.history[:min(len(p.history), historyMost-1)]...)
	p.current = nil
	p.mu.Unlock()

	close(j.done)

	if done.State == Failed {
		p.Log.Error("scan failed", "scan", done.ID, "schedule", done.Schedule, "error", err)
		if o.Schedule != "" {
			p.noteFailed(ctx, o, "scan "+done.ID)
			return
		}

		record := scanned(reasonFailed, "scan "+done.ID)
		record.Outcome = audit.SeriousFailure
		if err := p.write(ctx, o, record); err != nil {
			p.Log.Error("audit record lost", "event", string(audit.Scanned), "error", err)
		}
	}
}

// Reasons of records of scans that failed.
const (
	reasonFailed    = "scan failed"
	reasonScheduled = "scheduled scan failed"
)

// recorded runs a scan into the inventory and the audit trail.
func (p *Posture) recorded(ctx context.Context, j *job, o Order, opt *scan.Options) (*scan.Result, error) {
	if err := p.write(ctx, o, Begins(o.Targets, *opt, "")); err != nil {
		return nil, err
	}

	r, err := NewRecorder(ctx, p.Inventory, *opt, strings.TrimSpace("scan "+o.Schedule))
	if err != nil {
		return nil, err
	}

	opt.Sink = tap{r, p, j}
	opt.Progress = func(done, total uint64, _ int) { p.progress(j, done, total) }

	result, err := p.Scan(ctx, *opt)
	if result == nil {
		return nil, err
	}

	err = errors.Join(err, p.write(ctx, o, Ends(result)...))
	return result, errors.Join(err, r.Finish(context.WithoutCancel(ctx)))
}

func (p *Posture) progress(j *job, done, total uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()

	j.info.Looked, j.info.Addresses = done, total
	if done > 0 && done <= total {
		gone := p.Now().Sub(j.info.Started)
		j.info.SecondsLeft = int64(gone.Seconds()*float64(total-done)/float64(done) + 0.5)
	}
}

// Jobs lists the scans, the newest first, without the hosts they found.
func (p *Posture) Jobs() []Job {
	p.mu.Lock()
	defer p.mu.Unlock()

	out := slices.Clone(p.history)
	if p.current != nil {
		out = slices.Insert(out, 0, p.current.info)
	}

	for i := range out {
		out[i].Found = nil
	}
	return out
}

// Job is one scan with the hosts it has found so far; the error is of kind NotFound.
func (p *Posture) Job(id string) (Job, error) {
	p.mu.Lock()
	defer p.mu.Unlock()

	if p.current != nil && p.current.info.ID == id {
		info := p.current.info
		info.Found = slices.Clone(info.Found)
		return info, nil
	}

	for _, j := range p.history {
		if j.ID == id {
			return j, nil
		}
	}
	return Job{}, errUnknown
}

// Stop ends a running scan in order and waits for it, as long as ctx lasts. What
// was found stays. The error is of kind NotFound or, where it has ended, Conflict.
func (p *Posture) Stop(ctx context.Context, id string) error {
	p.mu.Lock()
	j := p.current
	p.mu.Unlock()

	if j == nil || j.info.ID != id {
		if _, err := p.Job(id); err != nil {
			return err
		}
		return fault.New(fault.Conflict, "posture: this scan has ended already")
	}

	j.cancel(errStopped)
	return await(ctx, j)
}

func await(ctx context.Context, j *job) error {
	select {
	case <-j.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Wait waits for the end of a scan, as long as ctx lasts, and says how it ended.
func (p *Posture) Wait(ctx context.Context, id string) (Job, error) {
	p.mu.Lock()
	j := p.current
	p.mu.Unlock()

	if j != nil && j.info.ID == id {
		if err := await(ctx, j); err != nil {
			return Job{}, err
		}
	}
	return p.Job(id)
}

// Busy reports whether a scan is running.
func (p *Posture) Busy() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.current != nil
}

// Close ends a running scan and waits for it. None can be started after it.
func (p *Posture) Close() {
	p.mu.Lock()
	p.ended = true
	if p.current != nil {
		p.current.cancel(errStopped)
	}
	p.mu.Unlock()

	p.running.Wait() // without the lock, which a scan takes to end
}
