package posture

import (
	"fmt"
	"slices"
	"strings"

	"collimator/internal/audit"
	"collimator/internal/scan"
)

// Begins is the record that a scan begins, without who began it.
func Begins(targets []string, opt scan.Options, consent string) audit.Record {
	var words []string
	for w, on := range opt.OptIn {
		if on {
			words = append(words, w)
		}
	}
	slices.Sort(words)

	detail := fmt.Sprintf("targets %s", strings.Join(targets, " "))
	if len(words) > 0 {
		detail += "; opt-in " + strings.Join(words, " ")
	}
	if consent != "" {
		detail += "; consent " + consent
	}

	return scanned("scan begins", detail)
}

// Ends makes the records of a scan that has ended: one for each host that was asked,
// and behind them one for the whole scan. They do not say yet who began it.
func Ends(r *scan.Result) []audit.Record {
	var records []audit.Record
	for _, h := range r.Hosts {
		services := strings.Join(scan.Services(h.Facts), "; ")
		detail := fmt.Sprintf("%d connections; %s", h.Connections, services)
		if h.Facts.Stopped != "" {
			detail += "; " + h.Facts.Stopped
		}

		record := scanned("host asked", detail)
		record.Peer.Address = h.Facts.Address.String()
		records = append(records, record)
	}

	detail := fmt.Sprintf("%d of %d addresses looked at, %d answered, %d connections",
		r.Looked, r.Addresses, r.Alive, r.Connections)
	return append(records, scanned("scan ends", detail))
}

func scanned(reason, detail string) audit.Record {
	return audit.Record{Event: audit.Scanned, Action: audit.Execute, Reason: reason, Objects: []audit.Object{{Detail: detail}}}
}
