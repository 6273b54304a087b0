package finding

import "strings"

// Mode says when a check is made.
type Mode string

// The modes.
const (
	Default Mode = "default" // with every scan
	OptIn   Mode = "opt-in"  // only when named with --opt-in
	Passive Mode = "passive" // derived from what other checks saw; nothing is sent
	Missing Mode = "missing" // not covered; Limits says why
)

// Check is one question a scan asks, and what may be concluded from the answer.
type Check struct {
	ID       string
	Group    string // discovery, association, dimse, tls, web, host, hl7
	Title    string // of the issue
	Severity Severity
	Mode     Mode
	// Option is the word for --opt-in, where Mode is OptIn.
	Option string
	Gains  []Gain
	// Sends says what goes over the wire, in words.
	Sends string
	// Limits says what the answer cannot prove.
	Limits string
}

// Checks is the whole catalogue, in the order of the groups.
func Checks() []Check {
	var all []Check
	for _, group := range [][]Check{discoveryChecks(), associationChecks(), dimseChecks(), tlsChecks(), webChecks(), hostChecks(), hl7Checks()} {
		all = append(all, group...)
	}
	return all
}

// CheckByID finds a check of the catalogue.
func CheckByID(id string) (Check, bool) {
	for _, c := range Checks() {
		if c.ID == id {
			return c, true
		}
	}
	return Check{}, false
}

// Options lists the words for --opt-in.
func Options() []string {
	var out []string
	for _, c := range Checks() {
		if c.Option != "" && !strings.Contains(" "+strings.Join(out, " ")+" ", " "+c.Option+" ") {
			out = append(out, c.Option)
		}
	}
	return out
}

func gains(g ...Gain) []Gain { return g }

const noBytes = "nothing of its own"

func discoveryChecks() []Check {
	const g = "discovery"
	return []Check{
		{"DIC-001", g, "A DICOM service answers", Info, Default, "", gains(Knowledge), "one whole A-ASSOCIATE-RQ with a protocol version that does not exist; the service must reject it; then the connection is closed", "a peer that ignores the version field is recognised by the next check instead"},
		{"DIC-002", g, "DICOM without encryption", High, Default, "", gains(Eavesdrop, ChangePatients), "one A-ASSOCIATE-RQ that offers Verification only, calling AE title COLLIMATOR; A-RELEASE", "a rejection proves it too"},
		{"DIC-003", g, "DICOM on an unusual port", Info, Default, "", gains(Knowledge), "TCP connections to the ports of --ports", "not a weakness; port lists of firewalls and monitors may miss it"},
		{"DIC-004", g, "Imaging service outside the imaging zones", Medium, Default, "", gains(StepStone), noBytes, "needs the zones of the scope file"},
		{"DIC-005", g, "Imaging service on a public address", Critical, Default, "", gains(ReadPatients), noBytes, "the class of the address says nothing of a firewall between it and the Internet"},
		{"DIC-006", g, "Looks like a honeypot", Info, Default, "", gains(Knowledge), noBytes, "judged by the implementation identity and by neighbours that answer exactly alike"},
	}
}

func associationChecks() []Check {
	const g = "association"
	return []Check{
		{"ASC-001", g, "Any called AE title is accepted", High, Default, "", gains(StepStone), "one A-ASSOCIATE-RQ to a called AE title of 16 random letters; A-RELEASE", ""},
		{"ASC-002", g, "Any calling AE title is accepted", High, Default, "", gains(StepStone), "one A-ASSOCIATE-RQ from a calling AE title of random letters to a called AE title that is known to be right; A-RELEASE", "an AE title is no credential: whoever knows one can use it"},
		{"ASC-003", g, "A guessable called AE title is accepted", Medium, OptIn, "guess-titles", gains(StepStone), "at most 8 A-ASSOCIATE-RQ with usual titles, one a second, until one is accepted", "looks like guessing in the log of the archive"},
		{"ASC-004", g, "Rejections tell which AE titles exist", Low, Default, "", gains(Knowledge), noBytes + ": compares the rejections of ASC-001 and ASC-002", "possible where no right called AE title is known"},
		{"ASC-005", g, "User identity is ignored", Medium, Default, "", gains(StepStone), "one A-ASSOCIATE-RQ with a user name and passcode made up on the spot, positive response requested; A-RELEASE", "only shows that this service does not identify users"},
		{"ASC-006", g, "A wrong passcode is confirmed", High, OptIn, "wrong-identity", gains(ReadPatients), "the same as ASC-005 once more, with another made-up user", "possible where only ASC-005 was answered so"},
		{"ASC-007", g, "The title of a device is accepted from any address", High, OptIn, "as-device", gains(ReadPatients, ChangePatients), "one A-ASSOCIATE-RQ with the calling AE title given with --as-device, Verification only; A-RELEASE", "is logged there as that device: tell the PACS team first"},
		{"ASC-008", g, "No limit for the length of a PDU", Low, Default, "", gains(StopService), noBytes + ": reads the maximum length of an acceptance", ""},
		{"ASC-009", g, "Storage of an unknown SOP class is accepted", Medium, Default, "", gains(StopService), "one A-ASSOCIATE-RQ that offers many contexts, none used; A-RELEASE", "negotiation only"},
		{"ASC-010", g, "Deflated or retired transfer syntax is accepted", Low, Default, "", gains(StopService), "part of the offer of ASC-009", "negotiation only"},
		{"ASC-011", g, "The service tells its software version", Info, Default, "", gains(Knowledge), noBytes + ": reads the implementation identity of an acceptance", "a distribution may patch without a new number"},
		{"ASC-012", g, "One idle connection may block the service", Medium, Passive, "", gains(StopService), noBytes + ": follows from the implementation; trying it would take the service off line", "possible only: judged by the implementation identity"},
		{"ASC-013", g, "Strangers may verify (C-ECHO)", Info, Default, "", gains(Knowledge), "one C-ECHO in the association of ASC-001", "usual in many sites"},
	}
}

func dimseChecks() []Check {
	const g = "dimse"
	const fresh = " with a fresh random UID that cannot exist, so that nothing can match; A-RELEASE"
	return []Check{
		{"DIM-001", g, "Strangers may query for studies", Critical, Default, "", gains(ReadPatients), "one C-FIND at STUDY level whose only key is StudyInstanceUID" + fresh, "success without matches proves the permission, not what is stored"},
		{"DIM-002", g, "Strangers get data of patients", Critical, OptIn, "count-matches", gains(ReadPatients), "one C-FIND for any study with StudyInstanceUID as its only key, C-CANCEL after the first match; what comes is thrown away undecoded", "study UIDs cross the wire: needs written consent"},
		{"DIM-003", g, "Strangers may query the worklist", Critical, Default, "", gains(ReadPatients), "one Modality Worklist C-FIND with a random AE title and a random patient ID; A-RELEASE", "success without matches proves the permission"},
		{"DIM-004", g, "Strangers are offered storage", High, Default, "", gains(ChangePatients), "part of the offer of ASC-009; no C-STORE", "possible: some products accept the context and refuse the C-STORE"},
		{"DIM-005", g, "Strangers may store objects", Critical, OptIn, "store-test-object", gains(ChangePatients), "one C-STORE of a labelled test object (PatientID COLLIMATOR-TEST, 2x2 pixels), which must be deleted afterwards", "writes to the archive"},
		{"DIM-006", g, "A second object under the same UID is taken", Critical, OptIn, "replace-test-object", gains(ChangePatients), "the object of DIM-005 a second time with one attribute changed", "for a laboratory; possible where the archive cannot be asked which one it kept"},
		{"DIM-007", g, "Strangers may have studies sent (C-MOVE)", High, Default, "", gains(ReadPatients), "one C-MOVE" + fresh + "; the destination is random too", "proves the right to ask; a service that checks the destination answers A801"},
		{"DIM-008", g, "Strangers may fetch studies (C-GET)", High, Default, "", gains(ReadPatients), "one C-GET" + fresh, "proves the right to ask"},
		{"DIM-009", g, "Strangers are offered procedure steps, commitment or print", Medium, Default, "", gains(ChangePatients), "part of the offer of ASC-009", "possible: negotiation only"},
		{"DIM-010", g, "Further services are offered to strangers", Info, Default, "", gains(Knowledge), "part of the offer of ASC-009", "negotiation only"},
	}
}

func tlsChecks() []Check {
	const g = "tls"
	return []Check{
		{"TLS-001", g, "No DICOM over TLS", High, Default, "", gains(Eavesdrop, ChangePatients), "one ClientHello to 2762, 2761 and every port that speaks DICOM", "only the ports that were looked at"},
		{"TLS-002", g, "TLS older than 1.2 is accepted", High, Default, "", gains(Eavesdrop), "one ClientHello each for SSL 3.0, TLS 1.0 and TLS 1.1, closed after the answer", "SSL 2.0 is not tried"},
		{"TLS-003", g, "Weak cipher suite is accepted", High, Default, "", gains(Eavesdrop), "one ClientHello for each class: NULL, anonymous, export, RC4, 3DES, static RSA, CBC with SHA-1", "medium where only static RSA or CBC with SHA-1 is accepted"},
		{"TLS-004", g, "Certificate is expired, not yet valid or valid for too long", Medium, Default, "", gains(Eavesdrop), noBytes + ": reads the certificate", "398 days are held against public authorities, 825 against others"},
		{"TLS-005", g, "Certificate of an unknown issuer", Medium, Default, "", gains(Eavesdrop), noBytes + ": verifies the chain against --ca and the authorities of the system", "fine where every peer pins the certificate"},
		{"TLS-006", g, "Certificate is for another name", Medium, Default, "", gains(Eavesdrop), noBytes + ": compares the names with the target", "peers that pin the certificate do not compare names"},
		{"TLS-007", g, "Weak key or signature of the certificate", Medium, Default, "", gains(Eavesdrop), noBytes + ": reads the certificate", ""},
		{"TLS-008", g, "No client certificate is asked for", High, Default, "", gains(StepStone), "one whole handshake without a certificate", "DICOM only: on the web people sign in otherwise"},
		{"TLS-009", g, "Any client certificate is accepted", Critical, Default, "", gains(ReadPatients, ChangePatients), "one whole handshake with a throwaway self-signed certificate, then the association of ASC-001 in it", "a service may still check AE titles or addresses"},
		{"TLS-010", g, "The private key of the certificate is published", Critical, Default, "", gains(Eavesdrop), noBytes + ": compares the public key with a list of published keys (--known-keys)", "the list is the operator's; keys that are not in it are not recognised"},
		{"TLS-011", g, "DICOM without TLS is still open beside TLS", High, Default, "", gains(Eavesdrop), noBytes + ": DIC-002 and DICOM over TLS on the same host", ""},
	}
}

func webChecks() []Check {
	const g = "web"
	return []Check{
		{"WEB-001", g, "Imaging web service without TLS", High, Default, "", gains(Eavesdrop), "GET / on the web ports", ""},
		{"WEB-002", g, "Studies can be searched without signing in (QIDO-RS)", Critical, Default, "", gains(ReadPatients), "GET {root}/studies?StudyInstanceUID=<fresh random UID>&limit=1 for the usual roots", "an empty answer proves the permission"},
		{"WEB-003", g, "Objects can be fetched without signing in (WADO)", Critical, Default, "", gains(ReadPatients), "GET of metadata and of WADO-URI with fresh random UIDs", "a 404 counts only where a path that cannot exist is answered otherwise or the search is open; else possible"},
		{"WEB-004", g, "Objects can be stored without signing in (STOW-RS)", Critical, Default, "", gains(ChangePatients), "POST {root}/studies without a body, Content-Type application/x-collimator-probe, which no server can store; only where a DICOMweb service was found", ""},
		{"WEB-005", g, "Orthanc's REST API is open", Critical, Default, "", gains(ReadPatients, ChangePatients), "GET /system", ""},
		{"WEB-006", g, "Orthanc runs Lua scripts of strangers", Critical, Default, "", gains(RunCode), "POST /tools/execute-script with an empty body, only where /system is open", "an empty script does nothing"},
		{"WEB-007", g, "Orthanc may write files over REST", High, Default, "", gains(RunCode), noBytes + ": reads the version of /system", "possible: distributions patch without a new number"},
		{"WEB-008", g, "dcm4chee-arc without sign-in", Critical, Default, "", gains(ReadPatients, ChangePatients), "GET /dcm4chee-arc/aets and /dcm4chee-arc/ui2/", ""},
		{"WEB-009", g, "Console of the application server is reachable", High, Default, "", gains(RunCode), "GET / on 9990, 9993 and 8843", ""},
		{"WEB-010", g, "OHIF shows its configuration with risky data sources", Medium, Default, "", gains(Knowledge, StepStone), "GET /app-config.js; only three words are looked for", ""},
		{"WEB-011", g, "OHIF in a version with a known weakness", High, Default, "", gains(StepStone), noBytes + ": reads the version in the page", "possible where the version is that of the bundle"},
		{"WEB-012", g, "Directory listing with DICOM files", Critical, Default, "", gains(ReadPatients), "GET /, /dicom/, /images/ and /dcm/; no file is fetched", "files without the ending .dcm are not seen"},
		{"WEB-013", g, "Any web site may use the session (CORS)", Medium, Default, "", gains(ReadPatients), "an Origin header with a random name in GET /", ""},
		{"WEB-014", g, "Protective headers are missing", Low, Default, "", gains(StepStone), noBytes + ": reads the headers of GET /", ""},
		{"WEB-015", g, "A published default credential works", Critical, OptIn, "default-credentials", gains(ReadPatients, ChangePatients), "one GET with the credential that the operator's file names for the product, at most one a product and host", "the file comes from the operator; the program brings none"},
		{"WEB-016", g, "Portal of a PACS is reachable", Medium, Default, "", gains(Knowledge, StepStone), "GET of the pages and icons by which products are known", ""},
		{"WEB-017", g, "INFINITT SOAP services are reachable", High, Default, "", gains(RunCode, ReadPatients), "GET of two service descriptions (?WSDL), only on hosts that look like INFINITT", "nothing is called or uploaded"},
		{"WEB-018", g, "Sante PACS Server in a version with known weaknesses", High, Default, "", gains(ReadPatients), noBytes + ": reads the version in the page", "possible where the page tells no version"},
		{"WEB-019", g, "Mirth Connect in a version that is being attacked", Critical, Default, "", gains(RunCode), "GET /api/server/version, only where the page is Mirth Connect's", ""},
		{"WEB-020", g, "Metrics or a description of the interface are open", Low, Default, "", gains(Knowledge), "GET /tools/metrics-prometheus, /metrics and /swagger", ""},
		{"WEB-021", g, "Passwords go over the network in the clear", High, Default, "", gains(Eavesdrop), noBytes + ": reads WWW-Authenticate of an answer without TLS", ""},
		{"WEB-022", g, "FHIR answers searches without signing in", Critical, Default, "", gains(ReadPatients), "GET /metadata and /fhir/metadata, then ImagingStudy?_id=<random>&_summary=count", ""},
	}
}

func hostChecks() []Check {
	const g = "host"
	const only = "only on hosts with an imaging service"
	return []Check{
		{"HST-001", g, "Telnet on an imaging host", Critical, Default, "", gains(RunCode, Eavesdrop), "a connection to port 23, closed at once", only},
		{"HST-002", g, "FTP on an imaging host", High, Default, "anonymous-ftp", gains(Eavesdrop, ReadPatients), "reads the greeting of port 21 and says QUIT; with --opt-in anonymous-ftp USER anonymous, never LIST", only},
		{"HST-003", g, "Remote control of the screen", High, Default, "", gains(RunCode, ReadPatients), "the greeting of VNC, the first request of RDP; a connection to 407, 4899 and 6129", only},
		{"HST-004", g, "SMB 1 or an open file share", Critical, Default, "", gains(RunCode, ReadPatients), "one SMB negotiate request for SMB 1", only + "; guest sessions are not tried"},
		{"HST-005", g, "Database is reachable", High, Default, "", gains(ReadPatients, ChangePatients), "the first message of the protocol, or the greeting", only},
		{"HST-006", g, "SNMP answers to \"public\"", Medium, Default, "", gains(Knowledge), "one SNMP GET for sysDescr and sysObjectID", only},
		{"HST-007", g, "Obsolete SSH", Medium, Default, "", gains(Eavesdrop), "the SSH greeting; reads the offered algorithms", only},
		{"HST-008", g, "Operating system without updates", High, Default, "", gains(RunCode), noBytes + ": reads what SNMP and web servers told", "possible: the version is as told"},
		{"HST-009", g, "Remote maintenance is reachable", Medium, Default, "", gains(StepStone), "a connection to 3283, 5631, 5938 and 7070, closed at once", only + "; possible: judged by the port"},
		{"HST-010", g, "NFS exports or rsync modules are open", High, Default, "", gains(ReadPatients), "one request for the list of exports or modules", only},
		{"HST-011", g, "Management controller (IPMI) is reachable", Medium, Default, "", gains(RunCode), "one RMCP ping", only},
		{"HST-012", g, "Management of a printer or disc burner is open", Medium, Default, "", gains(StepStone), noBytes + ": reads the greetings of FTP, telnet and the web", only},
	}
}

func hl7Checks() []Check {
	const g = "hl7"
	return []Check{
		{"HL7-001", g, "An HL7 interface accepts connections", High, Default, "hl7-frame", gains(ReadPatients, ChangePatients), "a connection to 2575 and 6661, closed at once; with --opt-in hl7-frame one empty MLLP frame", "possible without the frame: judged by the port; nothing malformed is ever sent"},
		{"HL7-002", g, "HL7 without encryption", High, Default, "", gains(Eavesdrop, ChangePatients), noBytes, "follows from HL7-001"},
		{"HL7-003", g, "HL7 accepts any sender", High, OptIn, "hl7-message", gains(ChangePatients), "one well-formed query with test facilities and a trigger the receiver must refuse; reads MSA-1", "writes a line into the log of the receiver"},
	}
}
