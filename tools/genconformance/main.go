// Command genconformance writes docs/conformance.md, the DICOM conformance
// statement, from docs/standards.tsv and the tables by which the program
// itself works:
//
//	go run ./tools/genconformance
//
// A test fails when the committed statement is not what this writes.
package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

	"collimator/dicom"
	"collimator/dicom/pixel"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/internal/archive"
	"collimator/internal/config"
	"collimator/internal/guard"
	"collimator/internal/pacs"
)

//go:embed conformance.tmpl
var text string

func main() {
	if err := run("."); err != nil {
		fmt.Fprintln(os.Stderr, "genconformance:", err)
		os.Exit(1)
	}
}

func run(root string) error {
	out, err := generate(root)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, "docs", "conformance.md"), out, 0o644)
}

// named is a UID with its name.
type named struct{ UID, Name string }

// row is a line of docs/standards.tsv.
type row struct{ Clause, Title, Status, Package, Note string }

// model is what the template prints.
type model struct {
	ImplementationClassUID, ImplementationVersionName string
	Config                                            config.Config
	Window                                            uint16
	Services                                          []service
	Storage, Native, Stored, Convertible              []named
	Levels                                            []level
	Standards                                         []row
}

// service is a SOP Class other than storage.
type service struct {
	named
	Verb    string
	SCU     string // the command that is its SCU; empty without
	Options string
}

type level struct {
	Name string
	Keys []string
}

func generate(root string) ([]byte, error) {
	rows, err := standards(filepath.Join(root, "docs", "standards.tsv"))
	if err != nil {
		return nil, err
	}
	archived := pacs.New(pacs.Options{Window: pacs.DefaultWindow})
	support := archived.Support()
	m := model{
		ImplementationClassUID: dicom.ImplementationClassUID, ImplementationVersionName: dicom.ImplementationVersionName,
		Config: config.Default(), Window: support.Window, Standards: rows,
		Native: names(support.TransferSyntaxes(uid.Verification)), Stored: names(support.TransferSyntaxes(uid.CTImageStorage)),
	}
	for _, ts := range m.Stored {
		if syntax, ok := dicom.LookupTransferSyntax(ts.UID); ok && (!syntax.Encapsulated || pixel.Decodable(ts.UID)) {
			m.Convertible = append(m.Convertible, ts)
		}
	}
	m.Services = services(archived.Offers(), support)
	for _, class := range uid.StorageClasses() {
		if len(support.TransferSyntaxes(class)) > 0 {
			m.Storage = append(m.Storage, named{class, uid.Name(class)})
		}
	}
	slices.SortFunc(m.Storage, func(a, b named) int { return strings.Compare(a.Name, b.Name) })
	for l := archive.PatientLevel; l <= archive.ImageLevel; l++ {
		var keys []string
		for _, t := range archive.IndexedKeys(l) {
			keys = append(keys, fmt.Sprintf("%s %s", t, t.Keyword()))
		}
		m.Levels = append(m.Levels, level{l.String(), keys})
	}
	var out bytes.Buffer
	tmpl, err := template.New("conformance").Parse(text)
	if err != nil {
		return nil, err
	}
	err = tmpl.Execute(&out, m)
	return out.Bytes(), err
}

func names(uids []string) []named {
	list := make([]named, len(uids))
	for i, u := range uids {
		list[i] = named{u, uid.Name(u)}
	}
	return list
}

// services are the SOP Classes besides storage that are offered, in the order
// of their UIDs.
func services(offers []pacs.Offer, support dimse.Support) []service {
	commands := map[string]string{
		uid.Verification:               "echo",
		uid.StorageCommitmentPushModel: "send --commit",
		uid.PatientRootFind:            "find --root patient",
		uid.StudyRootFind:              "find, get",
		uid.StudyRootMove:              "move",
		uid.StudyRootGet:               "get",
	}

	var list []service
	for _, o := range offers {
		verb := string(guard.VerbOf(o.Operation, o.SOPClassUID))
		class := named{o.SOPClassUID, uid.Name(o.SOPClassUID)}
		list = append(list, service{class, verb, commands[class.UID], options(o, support)})
	}
	slices.SortFunc(list, func(a, b service) int { return strings.Compare(a.UID, b.UID) })
	return list
}

// options names the extended negotiation that is granted.
func options(offer pacs.Offer, support dimse.Support) string {
	q := support.Query(offer.SOPClassUID)
	query := offer.Operation == dimse.CFind

	var words []string
	for _, o := range []struct {
		on   bool
		name string
	}{
		{q.Relational, "relational"},
		{q.DateTimeMatching && query, "combined date and time"},
		{q.FuzzyMatching && query, "fuzzy names"},
	} {
		if o.on {
			words = append(words, o.name)
		}
	}
	return strings.Join(words, ", ")
}

func standards(path string) ([]row, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var rows []row
	for i, line := range strings.Split(strings.TrimSuffix(string(b), "\n"), "\n") {
		f := strings.Split(line, "\t")
		if len(f) != 5 {
			return nil, fmt.Errorf("%s line %d: want 5 columns", path, i+1)
		}
		if i > 0 {
			rows = append(rows, row{f[0], f[1], f[2], f[3], f[4]})
		}
	}
	return rows, nil
}
