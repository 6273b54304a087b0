package main

import (
	"strings"

	"collimator/internal/audit"
	"collimator/internal/fault"
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
	Door      string `help:"Way in: dimse, dimse-plain, dicomweb, api, command, schedule, hl7 or page." enum:",dimse,dimse-plain,dicomweb,api,command,schedule,hl7,page" default:"" placeholder:"DOOR"`
	Address   string `help:"IP address." placeholder:"IP"`
	Route     string `help:"What came for a route of the gate, or for the archive: the AE title that was called." placeholder:"AET"`
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
		found, err := in.SearchTrail(e.ctx, f)
		if err != nil {
			return err
		}
		e.hint(in.TrailRead(e.ctx, f.Selection()))
		if len(found) == 0 && c.Route != "" && c.Route != in.Config.AE {
			if _, _, err := in.Route(e.ctx, c.Route); err != nil {
				e.hint(err.Error())
			}
		}

		return printRecords(e.stdout, c.Output, found, true)
	})
}

func (c *auditSearchCmd) filter() (f audit.Filter, err error) {
	f = audit.Filter{
		Event: audit.Event(c.Event), Principal: c.Principal, Person: c.Person, Patient: c.Patient, Study: c.Study, Address: c.Address,
		Route: c.Route, Door: audit.Door(c.Door), Did: audit.Deed(c.Action), Failed: c.Failed,
	}
	if c.Event != "" && !audit.Known(f.Event) {
		return f, fault.Usage("--event: no such event is recorded; there are %s", strings.Join(audit.Events(), ", "))
	}
	if f.Since, err = audit.ParseTime(c.Since, false); err != nil {
		return f, fault.Usage("--since: %w", err)
	}
	if f.Until, err = audit.ParseTime(c.Until, true); err != nil {
		return f, fault.Usage("--until: %w", err)
	}
	return f, nil
}
