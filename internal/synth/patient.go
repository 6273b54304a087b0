package synth

// Patient is somebody who does not exist.
type Patient struct {
	Script       string   // what the name shows
	CharacterSet []string // of the data set (PS3.3 C.12.1.1.2)
	Name         string   // in UTF-8, with component groups (PS3.5 6.2.1)
	ID           string
	BirthDate    string
	Sex          string
}

// Patients is one patient for each way in which names are written. The names
// in other scripts are those of PS3.5 H to K, behind the marker.
func Patients() []Patient {
	return []Patient{
		{"ASCII", nil, "ZZPHI^Anna^Maria^Dr.^jr.", "ZZPHI-0001", "19580213", "F"},
		{"German", []string{"ISO_IR 100"}, "ZZPHI^Jürgen^Äneas^^Größe", "ZZPHI-0002", "19610704", "M"},
		{"Polish", []string{"ISO_IR 101"}, "ZZPHI^Wałęsa^Łucja", "ZZPHI-0003", "19471130", "F"},
		{"Cyrillic", []string{"ISO_IR 144"}, "ZZPHI^Люксембург", "ZZPHI-0004", "19710305", "F"},
		{"Arabic", []string{"ISO_IR 127"}, "ZZPHI^قباني^لنزار", "ZZPHI-0005", "19230321", "M"},
		{"Greek", []string{"ISO_IR 126"}, "ZZPHI^Διονυσιος", "ZZPHI-0006", "19820119", "M"},
		{"Hebrew", []string{"ISO_IR 138"}, "ZZPHI^שרון^דבורה", "ZZPHI-0007", "19900408", "F"},
		{"Turkish", []string{"ISO_IR 148"}, "ZZPHI^Işık^Çağrı", "ZZPHI-0008", "19851225", "M"},
		{"Thai", []string{"ISO_IR 166"}, "ZZPHI^นามสกุล", "ZZPHI-0009", "19770817", "F"},
		{"Japanese", []string{"", "ISO 2022 IR 87"}, "ZZPHI^Tarou=山田^太郎=やまだ^たろう", "ZZPHI-0010", "19640222", "M"},
		{"Japanese with katakana", []string{"ISO 2022 IR 13", "ISO 2022 IR 87"},
			"ZZPHI^ﾔﾏﾀﾞ ﾀﾛｳ=山田^太郎=やまだ^たろう", "ZZPHI-0011", "19640223", "M"},
		{"Japanese with supplement", []string{"", "ISO 2022 IR 87", "ISO 2022 IR 159"},
			"ZZPHI^Hanako=山田^丂子=やまだ^はなこ", "ZZPHI-0012", "19660911", "F"},
		{"Korean", []string{"", "ISO 2022 IR 149"}, "ZZPHI^Gildong=洪^吉洞=홍^길동", "ZZPHI-0013", "19700606", "M"},
		{"Chinese GB18030", []string{"GB18030"}, "ZZPHI^XiaoDong=王^小东", "ZZPHI-0014", "19880808", "M"},
		{"Chinese GBK", []string{"GBK"}, "ZZPHI^XiaoDong=王^小東", "ZZPHI-0015", "19880809", "M"},
		{"Chinese ISO 2022", []string{"", "ISO 2022 IR 58"}, "ZZPHI^XiaoDong=张^小东", "ZZPHI-0016", "19880810", "M"},
		{"UTF-8", []string{"ISO_IR 192"}, "ZZPHI^Zoë^Ñandú=王^小东=ワン^シャオトン", "ZZPHI-0017", "20011231", "O"},
	}
}
