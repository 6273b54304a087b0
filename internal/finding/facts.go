package finding

import (
	"net/netip"
	"time"
)

// Facts is what a scan saw of one host: answers in the words of the protocols,
// never data of patients. Judge turns them into issues. All fields that a peer
// filled are bounded and printable.
type Facts struct {
	Asset   string     `json:"asset,omitempty"`
	Address netip.Addr `json:"address"`
	Name    string     `json:"name,omitempty"` // as the operator named the host
	// At is when the host was looked at; certificates are judged against it.
	At time.Time `json:"at"`
	// Public: the address can be reached from the Internet by its class.
	Public bool `json:"public,omitempty"`
	// OutsideZones is set where a zone plan was given and does not hold the address.
	OutsideZones bool `json:"outside_zones,omitempty"`
	// Twins is how many neighbours in the same /24 or /120 answered exactly alike.
	Twins int `json:"twins,omitempty"`
	// Stopped says why the scan left the host before it was done.
	Stopped  string     `json:"stopped,omitempty"`
	Services []*Service `json:"services,omitempty"`
	// KnownDevice is the AE title given with --as-device, empty when not tried.
	KnownDevice string `json:"known_device,omitempty"`
}

// Kind is what a service was recognised as.
type Kind string

// The kinds.
const (
	KindOpen  Kind = "open" // accepts connections, speaks nothing we know
	KindDICOM Kind = "dicom"
	KindWeb   Kind = "web"
	KindHL7   Kind = "hl7"
	KindHost  Kind = "host" // a management service, named by HostFacts.Protocol
)

// Service is one port.
type Service struct {
	Port  uint16     `json:"port"`
	UDP   bool       `json:"udp,omitempty"`
	Kind  Kind       `json:"kind"`
	TLS   *TLSFacts  `json:"tls,omitempty"`
	DICOM *DICOM     `json:"dicom,omitempty"`
	Web   *Web       `json:"web,omitempty"`
	HL7   *HL7       `json:"hl7,omitempty"`
	Host  *HostFacts `json:"host,omitempty"`
	// Product is who it says it is, or what it looks like.
	Product *Product `json:"product,omitempty"`
}

// Answer is what came back.
type Answer string

// The answers: to a request to associate, to an operation, to both.
const (
	AnswerAccept  Answer = "accept"  // A-ASSOCIATE-AC
	AnswerReject  Answer = "reject"  // A-ASSOCIATE-RJ
	AnswerOther   Answer = "other"   // bytes that are no PDU
	AnswerStatus  Answer = "status"  // a final response
	AnswerAbort   Answer = "abort"   // A-ABORT
	AnswerClosed  Answer = "closed"  // the connection ended
	AnswerTimeout Answer = "timeout" // nothing in time
)

// Outcome is how a peer answered a request to associate (PS3.8 9.3).
type Outcome struct {
	// Answer is empty when nothing was sent.
	Answer Answer `json:"answer,omitempty"`
	Result uint8  `json:"result,omitempty"`
	Source uint8  `json:"source,omitempty"`
	Reason uint8  `json:"reason,omitempty"`
}

// Accepted reports an A-ASSOCIATE-AC.
func (o Outcome) Accepted() bool { return o.Answer == AnswerAccept }

// Rejected reports an A-ASSOCIATE-RJ.
func (o Outcome) Rejected() bool { return o.Answer == AnswerReject }

// Speaks reports an answer that only a DICOM upper layer gives.
func (o Outcome) Speaks() bool {
	return o.Answer == AnswerAccept || o.Answer == AnswerReject || o.Answer == AnswerAbort
}

// Operation is how a DIMSE operation ended.
type Operation struct {
	// Answer is empty when nothing was sent.
	Answer Answer `json:"answer,omitempty"`
	Status uint16 `json:"status,omitempty"`
	// Pending is how many answers with a data set came first; they were not decoded.
	Pending int `json:"pending,omitempty"`
}

// Allowed reports that the peer carried the operation out: a final status of success.
func (o *Operation) Allowed() bool { return o != nil && o.Answer == AnswerStatus && o.Status == 0 }

// DICOM is what an AE answered.
type DICOM struct {
	// TLS: the answers came over TLS on the same port.
	TLS bool `json:"tls,omitempty"`
	// ClientCertificate: a throwaway certificate was presented.
	ClientCertificate bool `json:"client_certificate,omitempty"`
	// Presence answers a request with an impossible protocol version.
	Presence Outcome `json:"presence"`
	// RandomCalled answers a random called AE title from COLLIMATOR.
	RandomCalled Outcome `json:"random_called"`
	// KnownCalled is the called AE title that was accepted; empty when none is known.
	KnownCalled string `json:"known_called,omitempty"`
	// CalledFrom says where KnownCalled comes from: any, operator, web, guess.
	CalledFrom string `json:"called_from,omitempty"`
	// Ordinary answers KnownCalled from COLLIMATOR; RandomCalling KnownCalled from a random title.
	Ordinary      Outcome `json:"ordinary"`
	RandomCalling Outcome `json:"random_calling"`
	// AsDevice answers the title of a registered device (ASC-007, opt-in).
	AsDevice Outcome `json:"as_device"`
	// Identity answers a user name and passcode that nobody has.
	Identity         Outcome `json:"identity"`
	IdentityAnswered bool    `json:"identity_answered,omitempty"`
	// IdentityTwice: a second made-up user was confirmed too (ASC-006, opt-in).
	IdentityTwice bool `json:"identity_twice,omitempty"`
	// Negotiated: a list of contexts was offered; Results is what came of each abstract syntax.
	Negotiated bool             `json:"negotiated,omitempty"`
	Results    map[string]uint8 `json:"results,omitempty"`
	// Deflated and BigEndian: the transfer syntax was accepted for Secondary Capture.
	Deflated  bool `json:"deflated,omitempty"`
	BigEndian bool `json:"big_endian,omitempty"`
	// Private: a SOP class nobody defined was accepted.
	Private bool `json:"private,omitempty"`
	// Identity items of an acceptance.
	HasMaxPDU     bool       `json:"has_max_pdu,omitempty"`
	MaxPDU        uint32     `json:"max_pdu,omitempty"`
	ClassUID      string     `json:"implementation_class_uid,omitempty"`
	VersionName   string     `json:"implementation_version_name,omitempty"`
	Echo          *Operation `json:"echo,omitempty"`
	Find          *Operation `json:"find,omitempty"`
	Worklist      *Operation `json:"worklist,omitempty"`
	Move          *Operation `json:"move,omitempty"`
	Get           *Operation `json:"get,omitempty"`
	Count         *Operation `json:"count,omitempty"`         // DIM-002
	Store         *Operation `json:"store,omitempty"`         // DIM-005
	StoreTwice    *Operation `json:"store_twice,omitempty"`   // DIM-006
	Replaced      *bool      `json:"replaced,omitempty"`      // DIM-006, nil when it could not be seen
	TestObjectUID string     `json:"test_object,omitempty"`   // to be deleted by the operator
	GuessesTried  int        `json:"guesses_tried,omitempty"` // ASC-003
	NonStandard   bool       `json:"non_standard,omitempty"`  // the port is none of the usual ones
	FirstContext  string     `json:"first_context,omitempty"` // first abstract syntax of the answer, a mark of DCMTK's dcmqrscp
	Honeypot      string     `json:"honeypot,omitempty"`      // why it looks like one
}

// Best is the outcome of the best attempt that was made to associate as a stranger.
func (d *DICOM) Best() Outcome {
	if d.RandomCalled.Accepted() {
		return d.RandomCalled
	}
	if d.Ordinary.Answer != "" {
		return d.Ordinary
	}
	return d.RandomCalled
}

// Stranger reports that somebody without any knowledge or key got an association.
func (d *DICOM) Stranger() bool { return d.RandomCalled.Accepted() || d.Ordinary.Accepted() }

// Accepts reports that a context for the abstract syntax was accepted.
func (d *DICOM) Accepts(abstractSyntax string) bool {
	r, ok := d.Results[abstractSyntax]
	return ok && r == 0
}

// Certificate is what a leaf certificate says.
type Certificate struct {
	Fingerprint string    `json:"fingerprint"` // SHA-256
	Subject     string    `json:"subject,omitempty"`
	Issuer      string    `json:"issuer,omitempty"`
	NotBefore   time.Time `json:"not_before"`
	NotAfter    time.Time `json:"not_after"`
	SelfSigned  bool      `json:"self_signed,omitempty"`
	// Authority says who vouches for it: given (with --ca), system, or empty: nobody known.
	Authority string `json:"authority,omitempty"`
	// NameMatches: it holds the name or address that was scanned.
	NameMatches bool   `json:"name_matches,omitempty"`
	KeyType     string `json:"key_type,omitempty"`
	KeyBits     int    `json:"key_bits,omitempty"`
	Signature   string `json:"signature,omitempty"`
	// PublicKeyKnown names the published key that this is, where it is one.
	PublicKeyKnown string `json:"public_key_known,omitempty"`
}

// TLSFacts is what handshakes showed.
type TLSFacts struct {
	// Versions that were accepted, such as "SSL 3.0", "TLS 1.2".
	Versions []string `json:"versions,omitempty"`
	// Weak are classes of suites that were accepted, with the suite taken.
	Weak map[string]string `json:"weak,omitempty"`
	// Suite of the best handshake.
	Suite       string       `json:"suite,omitempty"`
	Certificate *Certificate `json:"certificate,omitempty"`
	// ClientRequested: the server asked for a certificate. Completed: a
	// handshake without one ended well; Throwaway: with a self-signed one.
	ClientRequested bool `json:"client_requested,omitempty"`
	Completed       bool `json:"completed,omitempty"`
	Throwaway       bool `json:"throwaway,omitempty"`
	// Speaks is what was spoken inside: dicom, http, or empty.
	Speaks string `json:"speaks,omitempty"`
	// ALPN is the application protocol that the server chose.
	ALPN string `json:"alpn,omitempty"`
	// Refused is how a handshake that did not succeed ended.
	Refused string `json:"refused,omitempty"`
}

// Page is one answer of a web server, without its body.
type Page struct {
	Sent   string `json:"sent"` // method and path
	Status int    `json:"status"`
	Length int    `json:"length"` // bytes read of the body, cut at the limit
	Kind   string `json:"type,omitempty"`
	// Same: the answer is what a path that cannot exist gets, so it proves nothing.
	Same bool `json:"same,omitempty"`
	// Marks are words of our own for what the body holds, such as "dicom listing".
	Marks []string `json:"marks,omitempty"`
}

// Has reports a mark.
func (p *Page) Has(mark string) bool {
	if p == nil {
		return false
	}
	for _, m := range p.Marks {
		if m == mark {
			return true
		}
	}
	return false
}

// Closed reports that the server asked for credentials or forbade.
func (p *Page) Closed() bool { return p != nil && (p.Status == 401 || p.Status == 403) }

// Web is what a web server answered.
type Web struct {
	TLS    bool   `json:"tls,omitempty"`
	Server string `json:"server,omitempty"` // header Server
	Status int    `json:"status"`           // of GET /
	// RedirectsToTLS: GET / over HTTP leads to https on the same host.
	RedirectsToTLS bool `json:"redirects_to_tls,omitempty"`
	// Location is the scheme, host and path of a redirect; no query.
	Location string `json:"location,omitempty"`
	// Auth is the scheme of WWW-Authenticate in lower case, with the realm.
	Auth  string `json:"auth,omitempty"`
	Realm string `json:"realm,omitempty"`
	// Headers of GET /.
	CSP             bool `json:"csp,omitempty"`
	NoSniff         bool `json:"nosniff,omitempty"`
	FrameOptions    bool `json:"frame_options,omitempty"`
	CORSReflects    bool `json:"cors_reflects,omitempty"`
	CORSCredentials bool `json:"cors_credentials,omitempty"`
	// Imaging: something of it belongs to imaging; header and transport checks count only then.
	Imaging bool `json:"imaging,omitempty"`
	// Pages by the name of the probe, such as "qido".
	Pages map[string]*Page `json:"pages,omitempty"`
	// Root is the path of the DICOMweb service that answered.
	Root        string `json:"root,omitempty"`
	DefaultUser string `json:"default_user,omitempty"` // product whose published credential worked (WEB-015)
	AETitle     string `json:"ae_title,omitempty"`     // told by the product's own interface
	DICOMPort   uint16 `json:"dicom_port,omitempty"`
	Portal      string `json:"portal,omitempty"` // product recognised by web_fingerprints
}

// Page of a probe, nil when it was not made.
func (w *Web) Page(name string) *Page { return w.Pages[name] }

// HL7 is what an MLLP port answered.
type HL7 struct {
	TLS bool `json:"tls,omitempty"`
	// Framed: a frame came back for an empty frame (opt-in).
	Framed bool `json:"framed,omitempty"`
	// Acknowledgement is MSA-1 of the answer to a test message (opt-in).
	Acknowledgement string `json:"acknowledgement,omitempty"`
}

// HostFacts is what a management service said.
type HostFacts struct {
	// Protocol is telnet, ftp, vnc, rdp, smb, mssql, mysql, postgresql, oracle,
	// mongodb, redis, snmp, ssh, rsync, nfs, ipmi, radmin, dameware, timbuktu, remote, printer.
	Protocol string `json:"protocol"`
	// Spoke: the protocol was recognised by what came, not by its port alone.
	Spoke  bool   `json:"spoke,omitempty"`
	Banner string `json:"banner,omitempty"`
	// Open: no credential was needed (VNC "none", anonymous FTP, SMB guest, listed exports).
	Open bool `json:"open,omitempty"`
	// SMB1, NLA and Old are what the protocol showed.
	SMB1 bool     `json:"smb1,omitempty"`
	NLA  bool     `json:"nla,omitempty"`
	Old  []string `json:"old,omitempty"` // obsolete algorithms or versions
	OS   string   `json:"os,omitempty"`
	// Names of exports or modules.
	Names []string `json:"names,omitempty"`
}
