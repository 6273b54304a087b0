package main

import (
	"context"
	"io"
	"log/slog"
	"strings"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/internal/archive"
	"collimator/internal/clamd"
	"collimator/internal/config"
	"collimator/internal/inspect"
	"collimator/internal/stream"
)

// inspector looks at what comes in, by the settings.
type inspector struct {
	policy  inspect.Policy
	viruses inspect.Verdict
	pass    bool          // what could not be scanned is taken all the same
	clamd   *clamd.Client // nil without one
	log     *slog.Logger
}

// inspection makes the archive's hook of the settings.
func inspection(c config.Inspect, log *slog.Logger) (func(context.Context, archive.Inspected) archive.Inspection, error) {
	in := &inspector{pass: c.Unscanned == "accept", log: log}
	for _, s := range []struct {
		word string
		to   **inspect.Verdict
	}{{c.Programs, &in.policy.Programs}, {c.ActiveDocuments, &in.policy.ActiveDocuments}, {c.SealedDocuments, &in.policy.SealedDocuments},
		{c.Containers, &in.policy.Containers}, {c.Preambles, &in.policy.Preambles}} {
		v, err := inspect.ParseVerdict(s.word)
		if err != nil {
			return nil, usageError("inspect: %w", err)
		}
		*s.to = &v
	}
	var err error
	if in.viruses, err = inspect.ParseVerdict(c.Viruses); err != nil {
		return nil, usageError("inspect.viruses: %w", err)
	}
	if c.Clamd != "" {
		in.clamd = clamd.New(c.Clamd)
	}
	return in.look, nil
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
		case err != nil:
			in.log.Error("not scanned for viruses, and refused", "sopClass", class, "error", err)
			return archive.Inspection{Busy: true}
		case name != "":
			verdict = max(verdict, in.viruses)
			why = append([]string{"virus " + printable(name)}, why...)
			in.log.Warn("inspection", "found", "virus "+printable(name), "rule", "viruses", "sopClass", class, "verdict", verdict.String())
		}
	}
	return archive.Inspection{Hold: verdict == inspect.Hold, Refuse: verdict == inspect.Refuse, Found: strings.Join(why[:min(len(why), foundMost)], "; ")}
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
