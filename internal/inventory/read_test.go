package inventory

import (
	"bytes"
	"log/slog"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRegisterOfAHospitalIsRead(t *testing.T) {
	t.Parallel()
	list, troubles, err := ReadCSV(bytes.NewReader(readFile(t, "register-de.csv")))
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 8 {
		t.Fatalf("%d lines", len(list))
	}
	ct := list[0]
	if ct.Name != "CT 1" || ct.Vendor != "GEHC" || ct.Product != "Optima CT680" || ct.Version != "16HW40.7" || ct.Addresses[0].String() != "10.20.1.11" || ct.AETitles[0] != "CT_OPTIMA" ||
		ct.Location != "Haus A, Raum 12" || ct.Zone != "VLAN 20" || ct.Record != "tag:1001" || ct.Note != "=1+1 ZZPHI^ROT; Wartungsvertrag: bis 2027" {
		t.Errorf("%+v", ct)
	}
	if !strings.Contains(list[1].Note, "läuft\nauf zwei Servern") {
		t.Errorf("%q", list[1].Note)
	}
	if len(list[2].Addresses) != 0 || list[2].Serial != "" {
		t.Errorf("placeholders: %+v", list[2])
	}
	want := []Trouble{
		{8, `column "IP-Adresse": no IP address; it went to the notes`},
		{9, "the line says neither what it is nor where: no product, name, serial number, address or AE title"},
		{10, "cell 14 has no column above it; it went to the notes"},
	}
	if diff := cmp.Diff(want, troubles); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(list[5].Note, "10.20.300.1") || !strings.Contains(list[7].Note, "zu viel") && !strings.Contains(list[6].Note, "zu viel") {
		t.Error("what was not understood is lost")
	}
	old, _, err := ReadCSV(bytes.NewReader(readFile(t, "register-de-1252.csv")))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(list, old, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
}

func TestHeadingsInManySpellings(t *testing.T) {
	t.Parallel()
	for heading, want := range map[string]column{
		"IP-Adresse": colAddress, "IP Adresse (LAN)": colAddress, "ip_address": colAddress, "AE-Titel": colAE, "DICOM AE Title": colAE, "AET": colAE, "Hersteller": colVendor, "MANUFACTURER": colVendor,
		"Gerätebezeichnung": colName, "Modell": colProduct, "Softwarestand": colVersion, "SW-Stand": colVersion, "Serien-Nr.": colSerial, "S/N": colSerial, "Standort": colLocation, "Gebäude": colLocation,
		"MAC-Adresse": colMAC, "Inventar-Nr.": colTag, "Bemerkungen": colNote, "Wartung bis": colRest, "Hostname": colHostname, "Gerätebeauftragter": colOwner, "VLAN": colZone, "DICOM-Port": colPort,
	} {
		if got := columnOf(heading); got != want {
			t.Errorf("%s: %d, want %d", heading, got, want)
		}
	}
}

func TestSeparatorsAndMarksOfSpreadsheets(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"comma":     "vendor,model\nGE,\"Optima, 680\"\n",
		"tab":       "vendor\tmodel\nGE\tOptima, 680\n",
		"semicolon": "vendor;model\r\nGE;Optima, 680\r\n",
		"mark":      "\xEF\xBB\xBFvendor;model\nGE;Optima, 680",
		"UTF-16":    "\xFF\xFEv\x00e\x00n\x00d\x00o\x00r\x00;\x00m\x00o\x00d\x00e\x00l\x00\n\x00G\x00E\x00;\x00O\x00p\x00t\x00i\x00m\x00a\x00,\x00 \x006\x008\x000\x00",
	} {
		list, troubles, err := ReadCSV(strings.NewReader(text))
		if err != nil || len(troubles) != 0 || len(list) != 1 || list[0].Vendor != "GE" || list[0].Product != "Optima, 680" {
			t.Errorf("%s: %+v %v %v", name, list, troubles, err)
		}
	}
	for name, text := range map[string]string{"empty": "", "no known column": "a;b\n1;2\n"} {
		if _, _, err := ReadCSV(strings.NewReader(text)); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func TestReadingTheSameRegisterTwiceAddsNothing(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for want, n := range []int{8, 0} {
		list, _, err := ReadCSV(bytes.NewReader(readFile(t, "register-de.csv")))
		if err != nil {
			t.Fatal(err)
		}
		dry, err := f.Import(t.Context(), CSV, "register", list, true)
		if err != nil {
			t.Fatal(err)
		}
		out, err := f.Import(t.Context(), CSV, "register", list, false)
		if err != nil || out.New != n || dry.New != n {
			t.Errorf("time %d: %d new, dry %d, want %d; %v", want, out.New, dry.New, n, err)
		}
	}
	nmap, err := ReadNmap(bytes.NewReader(readFile(t, "scan.nmap.xml")))
	if err != nil || len(nmap) != 2 {
		t.Fatalf("%+v %v", nmap, err)
	}
	out, err := f.Import(t.Context(), Nmap, "scan", nmap, false)
	if err != nil || out.New != 1 || out.Assets[0] != "A1" {
		t.Errorf("%+v %v", out, err)
	}
	a, _ := f.Asset(t.Context(), "A1")
	if len(a.Sources) != 2 || a.Hostname != "ct1.clinic.example" || len(a.Ports) != 1 || len(a.Conflicts) != 0 {
		t.Errorf("%+v", a)
	}
}

func TestNmapDocumentsThatAreNone(t *testing.T) {
	t.Parallel()
	bomb := `<?xml version="1.0"?><!DOCTYPE nmaprun [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><nmaprun><host><hostnames><hostname name="&b;"/></hostnames></host></nmaprun>`
	for name, text := range map[string]string{
		"entities": bomb, "nothing": "", "other": "<html/>", "cut off": "<nmaprun><host>", "deep": "<nmaprun>" + strings.Repeat("<x>", 100_000),
	} {
		if list, err := ReadNmap(strings.NewReader(text)); err == nil {
			t.Errorf("%s was taken: %v", name, list)
		}
	}
}

// anyText holds what spreadsheets stumble over.
var anyText = rapid.StringMatching(`[-=+@'"a-zA-Zäöü0-9;,|% ]{0,20}`)

func TestRegistersComeBackAsTheyWent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		clean := func(name string) string {
			s := strings.Trim(strings.Join(strings.Fields(anyText.Draw(t, name)), " "), "; ")
			if placeholder(s) {
				return "x" // a register cannot tell "unknown" from nothing
			}
			return s
		}
		a := &Asset{Name: clean("name"), Vendor: clean("vendor"), Product: clean("product") + "p", Version: clean("version"), Serial: clean("serial"), Note: clean("note"), Addresses: []string{"10.1.2.3", "fd00::1"}, AETitles: []string{"CT 1", "CT2"}, Ports: []int{104, 11112}}
		var b bytes.Buffer
		if err := WriteCSV(&b, []*Asset{a}); err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(b.String(), "\n") {
			for _, cell := range strings.Split(strings.ReplaceAll(line, `"`, ""), ",") {
				if cell != "" && strings.ContainsRune("=+-@", rune(cell[0])) && !strings.Contains(line, `"`) {
					t.Fatalf("a spreadsheet would run %q", cell)
				}
			}
		}
		list, troubles, err := ReadCSV(&b)
		if err != nil || len(troubles) != 0 || len(list) != 1 {
			t.Fatalf("%v %v %v", list, troubles, err)
		}
		o := list[0]
		if o.Name != a.Name || o.Vendor != a.Vendor || o.Product != a.Product || o.Version != a.Version || o.Serial != a.Serial || o.Note != a.Note || len(o.Addresses) != 2 || len(o.AETitles) != 2 || len(o.Ports) != 2 {
			t.Fatalf("%+v came back as %+v", a, o)
		}
	})
}

func TestAnExportIsTakenInAgain(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	list, _, _ := ReadCSV(bytes.NewReader(readFile(t, "register-de.csv")))
	if _, err := f.Import(t.Context(), CSV, "", list, false); err != nil {
		t.Fatal(err)
	}
	assets, err := f.Assets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := WriteJSON(&b, assets, nil); err != nil {
		t.Fatal(err)
	}
	back, err := ReadJSON(&b)
	if err != nil || len(back) != len(assets) {
		t.Fatalf("%d %v", len(back), err)
	}
	g := newFixture(t)
	for want, n := range []int{len(assets), 0} {
		out, err := g.Import(t.Context(), JSON, "", back, false)
		if err != nil || out.New != n {
			t.Errorf("time %d: %+v %v", want, out, err)
		}
	}
	again, _ := g.Assets(t.Context())
	for i := range again {
		if again[i].Product != assets[i].Product || again[i].Note != assets[i].Note || len(again[i].Addresses) != len(assets[i].Addresses) {
			t.Errorf("%+v came back as %+v", assets[i], again[i])
		}
	}
}

// Nothing of a cell stands in what is said about a list.
func TestTroublesTellNoContent(t *testing.T) {
	t.Parallel()
	text := "model;ip;ae;mac;note\nX;ZZPHI^A;ZZPHI^TOO^LONG^FOR^AN^AE;ZZPHI;ZZPHI\n;;;;;ZZPHI\n\"ZZPHI" + strings.Repeat("\nZZPHI", 100)
	_, troubles, err := ReadCSV(strings.NewReader(text))
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("read", "troubles", troubles, "error", err)
	if len(troubles) < 4 || strings.Contains(log.String(), "ZZPHI") {
		t.Errorf("%d: %s", len(troubles), log.String())
	}
}

func FuzzReadCSV(f *testing.F) {
	f.Add(readFile(f, "register-de.csv"))
	f.Add(readFile(f, "register-de-1252.csv"))
	f.Add([]byte("vendor,ip\n\"a\nb\",1.2.3.4"))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, _, err := ReadCSV(bytes.NewReader(b))
		if err != nil {
			return
		}
		r := &Register{limits: DefaultLimits()}
		for i := range list {
			r.values(&list[i])
		}
	})
}

func FuzzReadNmap(f *testing.F) {
	f.Add(readFile(f, "scan.nmap.xml"))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := ReadNmap(bytes.NewReader(b))
		if err != nil && list != nil {
			t.Fatal("a list with an error")
		}
	})
}

func FuzzReadJSON(f *testing.F) {
	f.Add([]byte(`{"format":"collimator-inventory-1","assets":[{"id":"A1","product":"x","addresses":["1.2.3.4"]}]}`))
	f.Fuzz(func(t *testing.T, b []byte) { _, _ = ReadJSON(bytes.NewReader(b)) })
}
