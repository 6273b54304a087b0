package terminal

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"collimator/internal/shown"
)

// List prints a list as JSON where form is "json", else as a table whose columns
// have the names of header, parted by |. empty says what to do next where there
// is nothing to show. Control characters in cells are shown and not obeyed.
func List[T any](w io.Writer, form string, list []T, header string, row func(T) []string, empty string) error {
	if form == "json" {
		if list == nil {
			list = []T{}
		}
		return JSON(w, list)
	}
	if len(list) == 0 {
		_, err := fmt.Fprintln(w, empty)
		return err
	}

	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, strings.ReplaceAll(header, "|", "\t"))
	for _, item := range list {
		cells := row(item)
		for i := range cells {
			cells[i] = shown.Text(cells[i])
		}
		fmt.Fprintln(tw, strings.Join(cells, "\t"))
	}
	return tw.Flush()
}

// Show prints a value as JSON where form is "json", else as text prints it.
func Show(w io.Writer, form string, v any, text func(w io.Writer) error) error {
	if form == "json" {
		return JSON(w, v)
	}
	return text(w)
}

// JSON prints a value for programs, indented by two blanks.
func JSON(w io.Writer, v any) error {
	enc := json.NewEncoder(shown.NewJSON(w))
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
