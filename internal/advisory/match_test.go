package advisory

import (
	"encoding/csv"
	"os"
	"slices"
	"strings"
	"testing"
)

func readCSV(t *testing.T, name string) [][]string {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(strings.NewReader(string(b)))
	r.Comma, r.LazyQuotes = ';', true
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows[1:]
}

const geList = "ICSMA-18-037-02"

// Each product of the list the sector alert of 2021 names is found in the
// spellings of hospitals, three or more of each, and by the rule of that product.
func TestEveryProductOfTheHHSListIsFound(t *testing.T) {
	t.Parallel()
	table := Default()
	spellings := map[string]int{}
	for _, row := range readCSV(t, "hhs.csv") {
		listed := row[0]
		spellings[listed]++
		res := table.Match(Identity{Vendor: row[1], Product: row[2], Version: row[3]})
		found := false
		for _, m := range res.Matches {
			found = found || m.Advisory == geList && m.HHS
		}
		if !found || res.Answer == NotListed {
			t.Errorf("%q %q %q: %s, not found as %s", row[1], row[2], row[3], res.Answer, listed)
		}
		// The rule of this very product fits, not only a neighbour of the same list.
		own := false
		for i := range table.entries {
			e := &table.entries[i]
			if e.rule.Product != listed || e.advisory.ID != geList {
				continue
			}
			l := newLookup(row[2], table.vendors)
			vendor, known := table.vendors.find(row[1])
			if n := table.vendors.prefix(l.words); n > 0 {
				vendor, known = table.vendors.names[glue(l.words[:n])], true
			}
			m, ok := e.match(table, l, Identity{Vendor: row[1], Product: row[2], Version: row[3]}, vendor, known)
			own = own || ok && m.Answer != NotListed
		}
		if !own {
			t.Errorf("%q %q %q does not fit the rule of %s", row[1], row[2], row[3], listed)
		}
	}
	n := 0
	for _, a := range table.Advisories {
		for _, r := range a.Rules {
			if !r.HHS {
				continue
			}
			n++
			if spellings[r.Product] < 3 {
				t.Errorf("%s has %d spellings in the test, want 3", r.Product, spellings[r.Product])
			}
		}
	}
	if n != 32 {
		t.Errorf("%d products carry the mark of the list, want 32", n)
	}
}

func TestInnocentProductsAreNotListed(t *testing.T) {
	t.Parallel()
	table := Default()
	rows := readCSV(t, "innocent.csv")
	if len(rows) < 50 {
		t.Fatalf("only %d products", len(rows))
	}
	for _, row := range rows {
		if res := table.Match(Identity{Vendor: row[0], Product: row[1], Version: row[2]}); res.Answer != NotListed {
			t.Errorf("%v: %s by %s %q", row, res.Answer, res.Matches[0].Advisory, res.Matches[0].Product)
		}
	}
}

// The published documents, taken in over the built-in table, take nothing away
// from it and draw in no innocent product.
func TestImportedDocumentsKeepTheSpellings(t *testing.T) {
	t.Parallel()
	var imported []Advisory
	for _, b := range realDocuments(t) {
		d, err := ParseCSAF(b)
		if err != nil {
			t.Fatal(err)
		}
		a, err := d.Advisory("imported")
		if err != nil {
			t.Fatal(err)
		}
		imported = append(imported, a)
	}
	table := NewTable(BuiltIn(), imported)
	for _, row := range readCSV(t, "hhs.csv") {
		res := table.Match(Identity{Vendor: row[1], Product: row[2], Version: row[3]})
		if !slices.ContainsFunc(res.Matches, func(m Match) bool { return m.Advisory == geList }) {
			t.Errorf("%v: %s", row, res.Answer)
		}
	}
	for _, row := range readCSV(t, "innocent.csv") {
		if res := table.Match(Identity{Vendor: row[0], Product: row[1], Version: row[2]}); res.Answer != NotListed {
			t.Errorf("%v: %s by %s %q", row, res.Answer, res.Matches[0].Advisory, res.Matches[0].Product)
		}
	}
	if m := table.Match(Identity{Vendor: "Philips", Product: "IntelliSpace Portal 7.0"}).Matches; len(m) == 0 || !m[0].Exploited {
		t.Errorf("%+v", m)
	}
}

func TestMatchAnswers(t *testing.T) {
	t.Parallel()
	table := Default()
	for _, c := range []struct {
		id       Identity
		advisory string
		want     Answer
		class    Class
		read     string
	}{
		{Identity{Vendor: "GEHC", Product: "Optima 680"}, geList, Affected, All, ""},
		{Identity{Vendor: "Philips", Product: "Philips IntelliSpace PACS", Version: "4.4"}, "ICSMA-18-312-01", Affected, All, ""},
		{Identity{Product: "Sante PACS Server", Version: "4.2.2"}, "ICSMA-25-224-01", Affected, Interval, ""},
		{Identity{Product: "Sante PACS Server 4.2.2"}, "ICSMA-25-224-01", Affected, Interval, ""},
		{Identity{Product: "Sante PACS Server", Version: "4.2"}, "ICSMA-25-224-01", Possibly, Interval, "compare them by hand"},
		{Identity{Product: "Sante PACS Server"}, "ICSMA-25-224-01", Possibly, Interval, "version is not known"},
		{Identity{Product: "DCMTK 3.6.7"}, "ICSMA-26-181-01", Affected, Interval, ""},
		{Identity{Product: "DCMTK 3.6.6"}, "ICSMA-22-174-01", Affected, Interval, ""},
		{Identity{Vendor: "MicroDicom", Product: "MicroDicom Viewer", Version: "2024.1"}, "ICSMA-24-163-01", Affected, Interval, ""},
		{Identity{Product: "OHIF", Version: "3.9.1"}, "ICSMA-26-176-02", Affected, Interval, ""},
		{Identity{Product: "Orthanc", Version: "1.5.6"}, "ICSMA-25-037-02", Affected, Interval, ""},
		{Identity{Product: "Mirth Connect", Version: "4.3.0"}, "CVE-2023-43208", Affected, Interval, ""},
		{Identity{Vendor: "Change Healthcare", Product: "Horizon Cardiology", Version: "12.3.1"}, "ICSMA-19-241-01", Affected, Wildcard, ""},
		{Identity{Vendor: "Philips", Product: "ViewForum", Version: "6.3V1L10"}, "ICSMA-21-019-01", Affected, Exact, ""},
		{Identity{Vendor: "Philips", Product: "Xcelera", Version: "R4.1L1"}, "ICSMA-17-318-01", Affected, Interval, ""},
		{Identity{Vendor: "Philips", Product: "EPIQ 7", Version: "VM4.0"}, "ICSMA-20-177-01", Affected, Interval, ""},
		{Identity{Vendor: "Philips", Product: "EPIQ 7"}, "ICSMA-20-177-01", Possibly, Interval, "version is not known"},
		{Identity{Vendor: "Philips", Product: "EPIQ 7", Version: "5.0"}, "ICSMA-20-177-01", Possibly, Interval, "by hand"},
		{Identity{Vendor: "Fuji", Product: "FCR Capsula X"}, "ICSMA-19-113-01", Possibly, All, "reader unit"},
		{Identity{Vendor: "Carestream", Product: "RIS Client", Version: "11.1"}, "ICSMA-18-277-01", Possibly, Text, "compare with the advisory"},
		{Identity{Vendor: "INFINITT", Product: "INFINITT PACS", Version: "3.0.11.5 BN9"}, "ICSMA-25-100-01", Affected, Interval, ""},
		{Identity{Vendor: "Kodak Carestream", Product: "Vue PACS", Version: "12.2.8.400"}, "ICSMA-24-200-01", Affected, Interval, ""},
		{Identity{Vendor: "GE", Product: "Voluson E10"}, "ICSMA-20-049-02", Affected, All, ""},
		{Identity{Vendor: "GE", Product: "Innova IGS 530"}, "ICSMA-20-343-01", Affected, All, ""},
		{Identity{Vendor: "GE", Product: "Advantage Workstation", Version: "4.5"}, "ICSMA-20-343-01", Affected, Interval, ""},
		{Identity{Vendor: "GE", Product: "LOGIQ 9 XP"}, "ICSMA-20-049-02", Affected, All, ""},
		{Identity{Vendor: "Praxis Müller", Product: "Optima CT680"}, geList, Possibly, All, "GE Healthcare"},
		{Identity{Product: "Infinia"}, geList, Possibly, All, "vendor is not known"},
		{Identity{Vendor: "GE", Product: "Optima CT680 Turbo"}, geList, Possibly, All, "turbo"},
		{Identity{Vendor: "OFFIS", Product: "DCMTK", Version: "3.6.6", Announced: true}, "ICSMA-22-174-01", Possibly, Interval, "patch level"},
	} {
		res := table.Match(c.id)
		found := false
		for _, m := range res.Matches {
			if m.Advisory != c.advisory {
				continue
			}
			found = true
			if m.Answer != c.want || m.Class != c.class || !strings.Contains(m.Read, c.read) {
				t.Errorf("%+v: %s, %s, %q; want %s, %s, %q", c.id, m.Answer, m.Class, m.Read, c.want, c.class, c.read)
			}
		}
		if !found {
			t.Errorf("%+v: %s is not among %d matches", c.id, c.advisory, len(res.Matches))
		}
	}
}

func TestAFixedVersionIsSaidToBeOutsideAndNeverSafe(t *testing.T) {
	t.Parallel()
	res := Default().Match(Identity{Product: "Sante PACS Server", Version: "4.2.3"})
	if res.Answer != NotListed || len(res.Outside) != 1 || res.Outside[0].Advisory != "ICSMA-25-224-01" {
		t.Errorf("%+v", res)
	}
}

func TestExceptionsOfAFamilyAreLeftOut(t *testing.T) {
	t.Parallel()
	if res := Default().Match(Identity{Vendor: "GE", Product: "LOGIQ 100 Pro"}); res.Answer != NotListed {
		t.Errorf("%+v", res.Matches)
	}
}

func TestProductsWithoutUpdateSaySo(t *testing.T) {
	t.Parallel()
	for _, p := range []string{"Optima 680", "Revolution XQ/i", "THUNIS-800+"} {
		m := Default().Match(Identity{Vendor: "GE", Product: p}).Matches[0]
		if m.Advisory != geList {
			for _, n := range Default().Match(Identity{Vendor: "GE", Product: p}).Matches {
				if n.Advisory == geList {
					m = n
				}
			}
		}
		if m.Update != NoUpdate || !strings.HasPrefix(m.Fix, "Isolate") {
			t.Errorf("%s: %s %q", p, m.Update, m.Fix)
		}
	}
}
