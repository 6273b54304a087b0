package main

import (
	"strings"

	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/house"
)

type auditSearchCmd struct {
	dataFlags
	outputFlag
	Patient   string `help:"Patient ID: what was done with this patient's studies." placeholder:"ID"`
	Study     string `help:"Study Instance UID." placeholder:"UID"`
	Person    string `help:"Somebody who acted, for whom a device, a token or a link acted, or who was changed." placeholder:"NAME"`
	Principal string `help:"Who acted, as it stands in the record: an AE title, a name, 'token ID'." placeholder:"NAME"`
	Action    string `help:"What was done to images: read, store or delete." enum:",read,store,delete" default:"" placeholder:"read|store|delete"`
	Event     string `help:"Event, as it stands in the records." placeholder:"EVENT"`
	Door      string `help:"Way in: dimse, dimse-plain, dicomweb, api, command or schedule." enum:",dimse,dimse-plain,dicomweb,api,command,schedule" default:"" placeholder:"DOOR"`
	Address   string `help:"IP address." placeholder:"IP"`
	Failed    bool   `help:"Only what was refused or failed."`
	Since     string `help:"First day or time, as 2026-12-31, 2026-12-31T08:30 or 2026-12-31T08:30:00Z." placeholder:"TIME"`
	Until     string `help:"Last day, or the time before which it was." placeholder:"TIME"`
}

func (auditSearchCmd) Help() string {
	return `Everything that is given has to match. By --patient the records of studies that are deleted are found,
too: each names the study and the patient. Images that were read without identity stand under the
study and the patient they were made of.

In the table images that one association stored are one line for each study; -o json has a record
for each image.

Examples:
  collimator audit search --patient 4711 --action read
  collimator audit search --person radiologist1 --since 2026-11-01 --until 2026-11-30
  collimator audit search --failed --since 2026-11-01`
}

func (c *auditSearchCmd) Run(e *env) error {
	f, err := c.filter()
	if err != nil {
		return err
	}
	return c.with(e, func(in *house.Installation) error {
		if f.Patient != "" {
			if f.Studies, err = studiesOfPatient(e, in, f.Patient); err != nil {
				return err
			}
		}
		var found []audit.Record
		for r, err := range in.Trail.After(e.ctx, -1) {
			if err != nil {
				return err
			}
			if f.Matches(r) {
				found = append(found, r)
			}
		}
		trailRead(e, in, c.selection())

		return printRecords(e.stdout, c.Output, found, true)
	})
}

// selection names what was asked by, without the values.
func (c *auditSearchCmd) selection() string {
	var names []string
	for _, f := range []struct {
		name  string
		given bool
	}{
		{"patient", c.Patient != ""}, {"study", c.Study != ""}, {"person", c.Person != ""}, {"principal", c.Principal != ""},
		{"action", c.Action != ""}, {"event", c.Event != ""}, {"door", c.Door != ""}, {"address", c.Address != ""},
		{"failed", c.Failed}, {"since", c.Since != ""}, {"until", c.Until != ""},
	} {
		if f.given {
			names = append(names, f.name)
		}
	}

	return strings.Join(names, " ")
}

func (c *auditSearchCmd) filter() (f audit.Filter, err error) {
	f = audit.Filter{
		Event: audit.Event(c.Event), Principal: c.Principal, Person: c.Person, Patient: c.Patient, Study: c.Study, Address: c.Address,
		Door: audit.Door(c.Door), Did: audit.Deed(c.Action), Failed: c.Failed,
	}
	if c.Event != "" && !audit.Known(f.Event) {
		return f, usageError("--event: no such event is recorded; there are %s", strings.Join(audit.Events(), ", "))
	}
	if f.Since, err = audit.ParseTime(c.Since, false); err != nil {
		return f, usageError("--since: %w", err)
	}
	if f.Until, err = audit.ParseTime(c.Until, true); err != nil {
		return f, usageError("--until: %w", err)
	}
	return f, nil
}

// studiesOfPatient are the studies the index has, and those of which a record
// says that they were the patient's: older records and those of links name the
// study alone.
func studiesOfPatient(e *env, in *house.Installation, patient string) (map[string]bool, error) {
	there, err := archive.StudiesOf(e.ctx, in.DB, patient)
	if err != nil {
		return nil, err
	}
	studies := audit.Set(there)
	for r, err := range in.Trail.After(e.ctx, -1) {
		if err != nil {
			return nil, err
		}
		for _, o := range r.Objects {
			if o.Patient == patient && o.Study != "" {
				studies[o.Study] = true
			}
		}
	}
	return studies, nil
}
