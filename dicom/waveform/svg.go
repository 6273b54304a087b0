package waveform

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"strings"
)

// The paper of an electrocardiogram: 25 mm for a second, 10 mm for a millivolt. All lengths are in millimetres.
const (
	perSecond    = 25.0
	perMillivolt = 10.0
	margin       = 15.0 // on the left, for names
	rowLeast     = 18.0 // height of a curve
	rowMost      = 60.0
	headRow      = 10.0
	step         = 0.2 // what is closer together than this is drawn as one stroke
)

// WriteSVG draws groups below one another. The drawing loads nothing and has no script.
func WriteSVG(w io.Writer, groups []Group) error {
	width, height := 0.0, 0.0
	for _, g := range groups {
		for _, c := range g.Channels {
			width = max(width, drawn(g, c)*perSecond)
		}
		height += headRow
		for _, c := range g.Channels {
			height += rowOf(c).height
		}
	}
	width = math.Ceil(width+margin) + 2

	b := bufio.NewWriter(w)
	fmt.Fprintf(b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0fmm" height="%.0fmm">`+"\n", width, math.Ceil(height), width, math.Ceil(height))
	b.WriteString(`<defs><pattern id="mm" width="5" height="5" patternUnits="userSpaceOnUse" x="15"><path d="M1 0V5M2 0V5M3 0V5M4 0V5M0 1H5M0 2H5M0 3H5M0 4H5" stroke="#f6d5d5" stroke-width=".08"/>` +
		`<path d="M0 0H5M0 0V5" stroke="#e8a0a0" stroke-width=".25"/></pattern></defs>` + "\n")
	fmt.Fprintf(b, `<rect width="%.0f" height="%.0f" fill="#fff"/>`+"\n", width, math.Ceil(height))

	at := 0.0
	for _, g := range groups {
		at = writeGroup(b, g, at, width)
	}
	b.WriteString("</svg>\n")
	return b.Flush()
}

// writeGroup draws a group from a height on and returns where it ends.
func writeGroup(b *bufio.Writer, g Group, at, width float64) float64 {
	head := fmt.Sprintf("%s  %.4g Hz, %.4g s, 25 mm/s", short(g.Label), g.Rate, g.Seconds)
	if allMillivolts(g) {
		head += ", 10 mm/mV"
	}
	if len(g.Channels) > 0 {
		if s := drawn(g, g.Channels[0]); s < g.Seconds-0.5 {
			head += fmt.Sprintf("; the first %.3g s are drawn", s)
		}
	}
	writeText(b, 2, at+6, 4, strings.TrimSpace(head))
	at += headRow

	for _, c := range g.Channels {
		r := rowOf(c)
		if c.Unit == millivolts {
			fmt.Fprintf(b, `<rect x="%.0f" y="%.2f" width="%.2f" height="%.2f" fill="url(#mm)"/>`+"\n", margin, at, width-margin, r.height)
		} else {
			fmt.Fprintf(b, `<rect x="%.0f" y="%.2f" width="%.2f" height="%.2f" fill="none" stroke="#ccc" stroke-width=".2"/>`+"\n", margin, at, width-margin, r.height)
			writeText(b, 1, at+9, 2.2, fmt.Sprintf("%.4g", r.high))
			writeText(b, 1, at+12, 2.2, fmt.Sprintf("%.4g %s", r.low, short(c.Unit)))
		}
		writeText(b, 1, at+5, 3, short(c.Label))
		writeCurve(b, g, c, r, at)
		at += r.height
	}
	return at
}

// row is how a curve is put into its row.
type row struct {
	height, low, high float64
	scale             float64 // millimetres for a unit
}

// rowOf makes room for a curve: millivolts at their scale, within reason, all else in the height of a row.
func rowOf(c Channel) row {
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range c.Values {
		low, high = min(low, v), max(high, v)
	}
	if !(low <= high) {
		return row{height: rowLeast, scale: 1}
	}
	r := row{low: low, high: high, scale: perMillivolt}
	if c.Unit != millivolts {
		r.height = rowLeast + 7
		r.scale = (r.height - 4) / max(high-low, 1e-9)
		return r
	}
	r.height = math.Ceil((min(max((high-low)*perMillivolt+4, rowLeast), rowMost))/5) * 5
	return r
}

// writeCurve draws the values, of those that are close together the lowest and the highest.
func writeCurve(b *bufio.Writer, g Group, c Channel, r row, top float64) {
	middle := (r.low + r.high) / 2
	y := func(v float64) float64 {
		return top + min(max(r.height/2-(v-middle)*r.scale, 0), r.height)
	}
	each := max(int(step*g.Rate/perSecond), 1)

	b.WriteString(`<path fill="none" stroke="#000" stroke-width=".25" stroke-linejoin="round" d="`)
	command := byte('M')
	for i := 0; i < len(c.Values); i += each {
		piece := c.Values[i:min(i+each, len(c.Values))]
		low, high := 0, 0
		for k, v := range piece {
			if v < piece[low] {
				low = k
			}
			if v > piece[high] {
				high = k
			}
		}
		for _, k := range [2]int{min(low, high), max(low, high)} {
			fmt.Fprintf(b, "%c%.2f %.2f", command, margin+float64(i+k)/g.Rate*perSecond, y(piece[k]))
			command = 'L'
			if low == high {
				break
			}
		}
	}
	b.WriteString(`"/>` + "\n")
}

// drawn is how many seconds of a curve there are to be drawn.
func drawn(g Group, c Channel) float64 { return float64(len(c.Values)) / g.Rate }

func allMillivolts(g Group) bool {
	for _, c := range g.Channels {
		if c.Unit != millivolts {
			return false
		}
	}
	return true
}

func writeText(b *bufio.Writer, x, y, size float64, text string) {
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" font-family="sans-serif" font-size="%.1f" fill="#000">`, x, y, size)
	xml.EscapeText(b, []byte(text)) // into a buffer, whose error comes with Flush
	b.WriteString("</text>\n")
}

// short is the beginning of a text that goes beside a curve.
func short(text string) string {
	const most = 40
	if r := []rune(text); len(r) > most {
		return string(r[:most])
	}
	return text
}
