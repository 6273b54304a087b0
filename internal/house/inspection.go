package house

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/internal/archive"
	"collimator/internal/clamd"
	"collimator/internal/config"
	"collimator/internal/fault"
	"collimator/internal/inspect"
	"collimator/internal/shown"
	"collimator/internal/state"
	"collimator/internal/stream"
)

// inspector looks at what comes in, by the settings.
type inspector struct {
	policy  inspect.Policy
	viruses inspect.Verdict
	pass    bool           // what could not be scanned is taken all the same
	clamd   *clamd.Circuit // nil without one
	log     *slog.Logger
}

// clamdState is the state of the virus scanner.
const clamdState = "inspect.clamd"

// newInspector makes an inspector of the settings; look is the archive's hook.
// It keeps the state of the virus scanner in states, which may be nil.
func newInspector(c config.Inspect, states *state.Register, log *slog.Logger) (*inspector, error) {
	in := &inspector{pass: c.Unscanned == "accept", log: log}
	for _, s := range []struct {
		word string
		to   **inspect.Verdict
	}{{c.Programs, &in.policy.Programs}, {c.ActiveDocuments, &in.policy.ActiveDocuments}, {c.SealedDocuments, &in.policy.SealedDocuments},
		{c.Containers, &in.policy.Containers}, {c.Preambles, &in.policy.Preambles}} {
		v, err := inspect.ParseVerdict(s.word)
		if err != nil {
			return nil, fault.Usage("inspect: %w", err)
		}
		*s.to = &v
	}

	var err error
	if in.viruses, err = inspect.ParseVerdict(c.Viruses); err != nil {
		return nil, fault.Usage("inspect.viruses: %w", err)
	}

	if c.Clamd != "" {
		in.clamd = clamd.NewCircuit(clamd.New(c.Clamd), clamdState, states)
	}
	return in, nil
}

// Watch asks the virus scanner from time to time, until ctx ends.
func (in *inspector) watch(ctx context.Context) {
	if in.clamd != nil {
		in.clamd.Run(ctx)
	}
}

// ask asks the virus scanner once, for its state.
func (in *inspector) ask(ctx context.Context) {
	if in.clamd != nil {
		in.clamd.Scan(ctx, strings.NewReader("collimator"))
	}
}

// foundMost is how many findings stand in the record of what was held back.
const foundMost = 3

func (in *inspector) look(ctx context.Context, i archive.Inspected) archive.Inspection {
	found, err := inspect.LookAt(ctx, i.DataSet, inspect.Limits{})
	class := uid.Name(i.DataSet.Text(tag.SOPClassUID))
	if err != nil {
		in.log.Warn("not looked into, and put off", "sopClass", class, "error", err)
		return archive.Inspection{Busy: true}
	}

	if i.Preamble != nil {
		found = append(found, inspect.LookAtPreamble(*i.Preamble)...)
	}

	verdict := in.policy.Judge(found)
	why := make([]string, 0, len(found))
	for _, f := range found {
		in.log.Warn("inspection", "found", f.String(), "rule", inspect.Rule(f), "sopClass", class, "verdict", verdict.String())
		why = append(why, f.String())
	}

	if in.clamd != nil && verdict < inspect.Refuse {
		name, err := in.scan(ctx, i)
		switch {
		case err != nil && in.pass:
			in.log.Warn("not scanned for viruses, and taken", "sopClass", class, "error", err)
		case errors.Is(err, clamd.ErrLimit):
			in.log.Error("longer than the virus scanner takes, and refused for good", "sopClass", class,
				"do", "raise StreamMaxLength in clamd.conf, and send again")
			return archive.Inspection{TooLong: true}
		case err != nil:
			in.log.Error("not scanned for viruses, and refused", "sopClass", class, "error", err)
			return archive.Inspection{Busy: true}
		case name != "":
			verdict = max(verdict, in.viruses)
			why = append([]string{"virus " + shown.Text(name)}, why...)
			in.log.Warn("inspection", "found", "virus "+shown.Text(name), "rule", "viruses", "sopClass", class, "verdict", verdict.String())
		}
	}

	return archive.Inspection{
		Hold:   verdict == inspect.Hold,
		Refuse: verdict == inspect.Refuse,
		Found:  strings.Join(why[:min(len(why), foundMost)], "; "),
	}
}

// scan sends the preamble and the data set to the daemon, but for the pixels:
// they are what is large, and no program runs them.
func (in *inspector) scan(ctx context.Context, i archive.Inspected) (string, error) {
	ds := i.DataSet.Clone()
	ds.Delete(tag.PixelData)
	r := stream.Of(nil, func(w io.Writer) error {
		if i.Preamble != nil {
			if _, err := w.Write(i.Preamble[:]); err != nil {
				return err
			}
		}
		return dicom.Encode(w, ds, uid.ExplicitVRLittleEndian)
	})
	defer r.Close()
	return in.clamd.Scan(ctx, r)
}
