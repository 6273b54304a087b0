package report

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
)

// CSV writes one line for each issue (RFC 4180). Cells that a spreadsheet would
// take for a formula get an apostrophe in front.
func CSV(w io.Writer, r *Report) error {
	out := csv.NewWriter(w)
	lines := [][]string{{
		"severity", "possible", "check", "title", "address", "port", "asset", "text", "gains", "sent", "received", "fix", "effort",
		"change", "advisories",
	}}

	for _, i := range r.Issues {
		var gains, sent, received, change []string
		for _, g := range i.Gains {
			gains = append(gains, string(g))
		}
		for _, e := range i.Evidence {
			sent = append(sent, e.Sent)
			received = append(received, e.Received)
		}
		for _, c := range i.Fix.Changes {
			change = append(change, c.Where+": "+c.Text)
		}

		address, port := "", ""
		if i.Place.Address.IsValid() {
			address = i.Place.Address.String()
		}
		if i.Place.Port > 0 {
			port = strconv.Itoa(int(i.Place.Port))
		}

		lines = append(lines, []string{
			i.Severity.String(), strconv.FormatBool(i.Possible), i.Check, i.Title, address, port, i.Place.Asset, i.Text,
			strings.Join(gains, "; "), strings.Join(sent, "; "), strings.Join(received, "; "), i.Fix.Do, string(i.Fix.Effort),
			strings.Join(change, "\n\n"), strings.Join(i.Advisories, "; "),
		})
	}

	// A cell may come from outside: no program shall take it for a formula.
	for _, line := range lines {
		for k := range line {
			line[k] = cell(line[k])
		}
		if err := out.Write(line); err != nil {
			return err
		}
	}

	out.Flush()
	return out.Error()
}

func cell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}
