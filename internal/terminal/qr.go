package terminal

import (
	"fmt"
	"io"
	"strings"

	"rsc.io/qr"
)

// QR draws a text as a QR code with half blocks, dark on light whatever the
// terminal's colours are: two rows of modules in one row of characters. Where w
// is no terminal there are no colours.
func QR(w io.Writer, text string) error {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return fmt.Errorf("draw the QR code: %w", err)
	}

	const quiet = 2 // modules around the code
	colours, plain := "\x1b[30;107m", "\x1b[0m"
	if !Attended(w) {
		colours, plain = "", ""
	}

	var b strings.Builder
	for y := -quiet; y < code.Size+quiet; y += 2 {
		b.WriteString(colours)
		for x := -quiet; x < code.Size+quiet; x++ {
			b.WriteString(halves(code.Black(x, y), code.Black(x, y+1)))
		}
		b.WriteString(plain + "\n")
	}

	_, err = io.WriteString(w, b.String())
	return err
}

// halves is the character for two modules, one above the other.
func halves(top, bottom bool) string {
	switch {
	case top && bottom:
		return "█"
	case top:
		return "▀"
	case bottom:
		return "▄"
	}
	return " "
}
