package inventory

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"collimator/internal/advisory"
	"collimator/internal/fault"
	"collimator/internal/shown"
)

// Bounds of a register that is read: bytes, lines, columns, lines of one record.
const (
	maxImport   = 64 << 20
	maxRows     = 200_000
	maxColumns  = 200
	maxRowLines = 50
)

// Trouble is something in a list that was not understood. Why names columns and
// no content. What could not be read went to the notes of the asset.
type Trouble struct {
	Line int    `json:"line"`
	Why  string `json:"why"`
}

// PrintTroubles prints what was not understood, a line each.
func PrintTroubles(w io.Writer, list []Trouble) {
	for _, t := range list {
		fmt.Fprintf(w, "line %d: %s\n", t.Line, shown.Text(t.Why))
	}
}

// ReadCSV reads a register: columns in English or German, separated by comma,
// semicolon, tab or stroke, in UTF-8, UTF-16 or Windows-1252. Every column that
// is not known, and every cell that cannot be read, goes to the notes.
func ReadCSV(r io.Reader) ([]Observation, []Trouble, error) {
	b, err := readBounded(r)
	if err != nil {
		return nil, nil, err
	}

	text, err := decodeText(b)
	if err != nil {
		return nil, nil, err
	}

	in := csv.NewReader(strings.NewReader(text))
	in.Comma = separator(text)
	in.FieldsPerRecord = -1
	in.LazyQuotes, in.ReuseRecord = true, true

	s := sheet{records: map[string]int{}}
	line := 0
	for {
		cells, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			// Only what encoding/csv calls a bad line; it quotes nothing of it.
			line++
			s.trouble(line, "the line cannot be cut into cells")
			continue
		}

		line, _ = in.FieldPos(0)
		if end := line + strings.Count(strings.Join(cells, ""), "\n"); end-line > maxRowLines {
			s.trouble(line, fmt.Sprintf("a quotation mark that is not closed swallows the lines up to %d", end))
		}

		if err := s.row(line, cells); err != nil {
			return nil, nil, err
		}
	}

	if s.columns == nil {
		return nil, nil, fault.New(fault.Invalid, "inventory: the list is empty")
	}
	return s.out, s.troubles, nil
}

func readBounded(r io.Reader) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxImport+1))
	if err != nil {
		return nil, fmt.Errorf("inventory: read the list: %w", err)
	}

	if len(b) > maxImport {
		return nil, fault.Newf(fault.TooLarge, "inventory: the list is larger than %d MiB", maxImport>>20)
	}
	return b, nil
}

// decodeText brings a file into UTF-8.
func decodeText(b []byte) (string, error) {
	switch {
	case bytes.HasPrefix(b, []byte("\xEF\xBB\xBF")):
		b = b[3:]
	case bytes.HasPrefix(b, []byte("\xFF\xFE")), bytes.HasPrefix(b, []byte("\xFE\xFF")):
		u, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder().Bytes(b)
		if err != nil {
			return "", fault.New(fault.Invalid, "inventory: the list begins as UTF-16 and is not")
		}
		b = u
	}

	if utf8.Valid(b) {
		return string(b), nil
	}

	u, err := charmap.Windows1252.NewDecoder().Bytes(b)
	if err != nil {
		return "", fault.New(fault.Invalid, "inventory: the list is neither UTF-8 nor Windows-1252")
	}
	return string(u), nil
}

// separator is the one that stands most often in the first line with content.
func separator(text string) rune {
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) == "" {
			continue
		}

		best := ','
		most := 0
		for _, c := range []rune{';', ',', '\t', '|'} {
			if n := strings.Count(line, string(c)); n > most {
				best = c
				most = n
			}
		}
		return best
	}
	return ','
}

// sheet is a list that is being read.
type sheet struct {
	columns  []column
	header   []string
	out      []Observation
	troubles []Trouble
	records  map[string]int
}

func (s *sheet) trouble(line int, why string) {
	if len(s.troubles) < 10_000 {
		s.troubles = append(s.troubles, Trouble{line, why})
	}
}

func (s *sheet) row(line int, cells []string) error {
	empty := true
	for _, c := range cells {
		empty = empty && strings.TrimSpace(c) == ""
	}

	switch {
	case empty:
		return nil
	case s.columns == nil:
		return s.head(cells)
	case len(s.out) >= maxRows:
		return fault.Newf(fault.TooLarge, "inventory: the list has more than %d lines", maxRows)
	}

	o := Observation{Source: CSV}
	var notes []string
	for i, cell := range cells {
		cell = plain(strings.TrimSpace(cell))
		if cell == "" {
			continue
		}

		if i >= len(s.columns) {
			s.trouble(line, fmt.Sprintf("cell %d has no column above it; it went to the notes", i+1))
			notes = append(notes, cell)
			continue
		}

		if placeholder(cell) && s.columns[i] != colRest {
			continue
		}
		if why := s.columns[i].set(&o, cell, s.header[i]); why != "" {
			if s.columns[i] != colRest {
				s.trouble(line, fmt.Sprintf("column %q: %s; it went to the notes", s.header[i], why))
			}
			notes = append(notes, s.header[i]+": "+cell)
		}
	}

	if o.Note != "" {
		notes = append([]string{o.Note}, notes...)
	}
	o.Note = strings.Join(notes, "; ")

	if o.Product+o.Vendor+o.Name+o.Hostname+o.Serial == "" && len(o.Addresses)+len(o.MACs)+len(o.AETitles) == 0 {
		s.trouble(line, "the line says neither what it is nor where: no product, name, serial number, address or AE title")
		o.Name = o.Record
		if o.Note+o.Name == "" {
			return nil
		}
	}

	s.record(&o)
	s.out = append(s.out, o)
	return nil
}

// record gives a line a sign of its own, for lines that have no better one: the
// same line of the same list is the same asset the next time.
func (s *sheet) record(o *Observation) {
	if o.Record != "" {
		o.Record = "tag:" + o.Record
		return
	}

	key := strings.ToLower(strings.Join([]string{o.Vendor, o.Product, o.Name, o.Location}, "|"))
	s.records[key]++
	o.Record = fmt.Sprintf("row:%s#%d", key, s.records[key])
}

func (s *sheet) head(cells []string) error {
	if len(cells) > maxColumns {
		return fault.Newf(fault.TooLarge, "inventory: the list has more than %d columns", maxColumns)
	}

	known := false
	taken := map[column]bool{}
	for _, c := range cells {
		c = strings.TrimSpace(strings.TrimPrefix(c, "\uFEFF"))
		col := columnOf(c)
		if taken[col] && !col.several() {
			col = colRest
		}

		taken[col] = true
		known = known || col != colRest && col != colNote
		s.columns = append(s.columns, col)
		s.header = append(s.header, firstWords(c))
	}

	if !known {
		s.columns = nil
		return fault.New(fault.Invalid, "inventory: no column of the first line is known; "+
			"name them for instance vendor, product, version, serial, address, ae title, location "+
			"(or Hersteller, Modell, Softwarestand, Seriennummer, IP-Adresse, AE-Titel, Standort)")
	}
	return nil
}

func firstWords(s string) string {
	if len(s) > 60 {
		s = strings.ToValidUTF8(s[:60], "")
	}
	return strings.Join(strings.Fields(s), " ")
}

// plain takes off the mark with which an export keeps spreadsheets from running a cell.
func plain(s string) string {
	if len(s) > 1 && s[0] == '\'' && formula(s[1:]) {
		return s[1:]
	}
	return s
}

// cut parts a cell with several values.
func cut(cell string) []string {
	return strings.FieldsFunc(cell, func(r rune) bool { return strings.ContainsRune(",;/|\n\t ", r) })
}

func parseAddresses(cell string) ([]netip.Addr, bool) {
	var out []netip.Addr
	for _, f := range strings.FieldsFunc(cell, func(r rune) bool { return strings.ContainsRune(",;|\n\t ", r) }) {
		if placeholder(f) {
			continue
		}

		host, _, _ := strings.Cut(f, "/")
		a, err := netip.ParseAddr(strings.Trim(host, "[]()"))
		if err != nil {
			return nil, false
		}
		out = append(out, a)
	}
	return out, true
}

func parsePorts(cell string) ([]uint16, bool) {
	var out []uint16
	for _, f := range cut(cell) {
		if f == "tcp" || f == "udp" {
			continue
		}

		n, err := strconv.ParseUint(f, 10, 16)
		if err != nil || n == 0 {
			return nil, false
		}
		out = append(out, uint16(n))
	}
	return out, true
}

// ReadIdentities reads which products a file with a register names.
func ReadIdentities(path string) ([]advisory.Identity, []Trouble, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()

	list, troubles, err := ReadCSV(f)
	return Identities(list), troubles, err
}

// Identities are what observations say that systems are; the name stands in where
// there is no product.
func Identities(list []Observation) []advisory.Identity {
	out := make([]advisory.Identity, 0, len(list))
	for _, o := range list {
		out = append(out, advisory.Identity{Vendor: o.Vendor, Product: cmp.Or(o.Product, o.Name), Version: o.Version})
	}
	return out
}
