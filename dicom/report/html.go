package report

import (
	"html/template"
	"io"
)

// page is a report for a browser: text, without script, style or anything to be loaded.
var page = template.Must(template.New("").Parse(`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Report</title></head>
<body>
{{range .Lines}}{{if .Heading}}<h2>{{.Label}} <bdi>{{.Name}}</bdi> {{.Value}}</h2>
{{else}}<p>{{with .Indent}}{{.}}{{end}}{{with .Label}}{{.}}: {{end}}{{with .Name}}<b><bdi>{{.}}</bdi></b> {{end}}<bdi>{{.Value}}</bdi>{{range .Refs}} <code>{{.SOPInstanceUID}}{{range .Frames}} {{.}}{{end}}</code>{{end}}</p>
{{end}}{{end}}{{if .Cut}}<p>…</p>
{{end}}</body>
</html>
`)) // it is part of the program

// Indent is how far a line stands in, in spaces that browsers keep.
func (l Line) Indent() string {
	const space = "\u2003"
	out := ""
	for range l.Depth {
		out += space
	}
	return out
}

// WriteHTML writes the report as an HTML document. Every text is escaped.
func (r *Report) WriteHTML(w io.Writer) error { return page.Execute(w, r) }
