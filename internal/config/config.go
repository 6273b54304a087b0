// Package config holds the settings of the program: their names in the one
// YAML file, their defaults, and the checks that keep a server from listening
// where it should not. Flags are laid over the file by the command.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"collimator/internal/outward"
)

// File is the name of the settings file in the data directory, read when
// --config names no other.
const File = "collimator.yaml"

// OnlyGate is what Config.Only may be.
const OnlyGate = "gate"

// Insist is the sentence that lets a server listen on a public address.
const Insist = "expose this server to the internet"

// Config is the whole of the settings. Use Default or Load to get one.
type Config struct {
	// From is the file that was read; empty where there was none.
	From string `yaml:"-"`
	// Data is the data directory.
	Data string `yaml:"data"`
	// AE is the server's own AE title.
	AE string `yaml:"ae"`
	// Only, where it is OnlyGate, runs the routes of the gate without the archive.
	Only string `yaml:"only,omitempty"`
	// HTTP is the address of the HTTPS listener; empty turns it off.
	HTTP string `yaml:"http"`
	// DICOM is the address of the TLS listener for associations.
	DICOM string `yaml:"dicom"`
	// PlainDICOM is the address of the listener without TLS. It is open only
	// while a device with a plaintext exception exists.
	PlainDICOM string `yaml:"plain_dicom"`
	// Hosts are further names and addresses for the server's certificate.
	Hosts []string `yaml:"hosts,omitempty"`
	// CompressFrames sends uncompressed frames of DICOMweb as gzip to browsers and programs that take it: for slow lines.
	CompressFrames bool `yaml:"compress_frames,omitempty"`
	// Public must hold the sentence Insist before a public address is accepted.
	Public string `yaml:"public,omitempty"`
	// Tokens says whose JSON Web Tokens identify a user of an association.
	Tokens Tokens `yaml:"tokens,omitempty"`
	// SignIn says how people sign in.
	SignIn SignIn `yaml:"signin"`
	// TLS says which certificate browsers see.
	TLS TLS `yaml:"tls,omitempty"`
	// Outward says by which way others are called.
	Outward Outward `yaml:"outward,omitempty"`
	// Inspect says what follows when an object holds what does not belong there.
	Inspect Inspect `yaml:"inspect"`
	// Advisories says where 'advisory update' looks. Without a source it asks nobody.
	Advisories Advisories `yaml:"advisories,omitempty"`
	Limits     Limits     `yaml:"limits"`
	// CharacterSets says in which character set a source writes that declares
	// none: a defined term of DICOM by AE title, and for all others
	// under "default". Without one, only ASCII can be read.
	CharacterSets map[string]string `yaml:"character_sets,omitempty"`
	// Deidentify says what stays in what researchers and links are shown.
	Deidentify Deidentify `yaml:"deidentify"`
	// Ledger says where checkpoints are witnessed.
	Ledger Ledger `yaml:"ledger"`
	// Audit says where the trail is sent.
	Audit Audit `yaml:"audit,omitempty"`
	// Scans are begun by serve.
	Scans []Scan `yaml:"scans,omitempty"`
	// Alarms says who is told when something happens.
	Alarms Alarms `yaml:"alarms,omitempty"`
	Log    Log    `yaml:"log"`
}

// Tokens names an issuer of JSON Web Tokens. Empty: tokens are refused.
type Tokens struct {
	Issuer   string `yaml:"issuer,omitempty"`
	Audience string `yaml:"audience,omitempty"` // default: the AE title
	Keys     string `yaml:"keys,omitempty"`     // file with the issuer's public keys, PEM
}

// Advisories names publishers of CSAF documents. Empty: nothing is fetched.
type Advisories struct {
	// Sources are https addresses: a provider-metadata.json, a folder with index.txt, a feed or a document.
	Sources []string `yaml:"sources,omitempty"`
	// Only takes only documents whose file name begins so, such as icsma-.
	Only string `yaml:"only,omitempty"`
	// Key is a file with the publisher's OpenPGP key: what it did not sign is refused.
	Key string `yaml:"key,omitempty"`
	// Roots is a file with the authorities of the sources' certificates, PEM; empty: the system's.
	Roots string `yaml:"roots,omitempty"`
}

// Inspect gives a verdict for each kind of finding: accept, quarantine or refuse.
type Inspect struct {
	// Programs: executables, scripts and HTML pages in elements.
	Programs string `yaml:"programs"`
	// ActiveDocuments: encapsulated PDF or XML that does something when opened.
	ActiveDocuments string `yaml:"active_documents"`
	// SealedDocuments: encrypted or otherwise unreadable documents.
	SealedDocuments string `yaml:"sealed_documents"`
	// Containers: ZIP and PDF in elements that are not for documents.
	Containers string `yaml:"containers"`
	// Preambles: what stands in front of a file and is something else; accept
	// means that it is left out, which is done with every preamble.
	Preambles string `yaml:"preambles"`
	// Contradictions: meta information that names another object than the data
	// set; accept, and the data set counts, or refuse. Files that were edited by
	// tools are often so.
	Contradictions string `yaml:"contradictions"`
	// Clamd is the socket of a ClamAV daemon, a path or HOST:PORT; empty: none.
	Clamd string `yaml:"clamd,omitempty"`
	// Viruses: what the daemon has a name for.
	Viruses string `yaml:"viruses"`
	// Unscanned: while the daemon does not answer, or takes no more; accept, or
	// refuse so that the sender tries again.
	Unscanned string `yaml:"unscanned"`
}

// Outward says by which proxy the archive calls others by HTTPS: the identity
// provider, an ACME authority, a webhook, publishers of advisories.
type Outward struct {
	// Proxy is http://HOST:PORT or https://HOST:PORT, or none; empty: what HTTPS_PROXY
	// and NO_PROXY of the environment say.
	Proxy string `yaml:"proxy,omitempty"`
	// NoProxy are hosts, domains, addresses and networks that are called without.
	NoProxy []string `yaml:"no_proxy,omitempty"`
}

// Options are those of package outward.
func (o Outward) Options() outward.Options {
	return outward.Options{Proxy: o.Proxy, Except: o.NoProxy}
}

// Ledger names a witness: a file on another machine or on storage that cannot
// be rewritten, to which signed checkpoints are appended.
type Ledger struct {
	Witness string        `yaml:"witness,omitempty"`
	Every   time.Duration `yaml:"every"`
}

// Audit names an audit record repository that takes syslog over TLS.
type Audit struct {
	Repository string `yaml:"repository,omitempty"` // HOST:PORT; empty: none
	Roots      string `yaml:"roots,omitempty"`      // file with the authorities of its certificate, PEM; empty: the system's
	// Certificate and Key are shown where the repository asks who we are, both PEM;
	// empty: the server's own.
	Certificate string `yaml:"certificate,omitempty"`
	Key         string `yaml:"key,omitempty"`
	// Wait is how long records may wait to be written until nothing more is shown.
	Wait time.Duration `yaml:"wait,omitempty"`
}

// Deidentify chooses options of the profile of confidentiality, in the words of the command
// deidentify.
type Deidentify struct {
	Keep []string `yaml:"keep"`
}

// Limits bound what peers may take.
type Limits struct {
	// Associations open at once, in total and per address.
	Associations           int `yaml:"associations"`
	AssociationsPerAddress int `yaml:"associations_per_address"`
	// FindMatches is the most matches one C-FIND returns; 0 means no limit.
	FindMatches int `yaml:"find_matches"`
	// Idle is how long an association may stay silent.
	Idle time.Duration `yaml:"idle"`
	// ObjectElements is the most elements and items of one object, at all depths.
	ObjectElements int `yaml:"object_elements"`
	// ObjectBytes is the most bytes of one object.
	ObjectBytes int64 `yaml:"object_bytes"`
	// QuarantineEntries is the most entries held back at a time, QuarantineShare
	// the most of them from one source.
	QuarantineEntries int `yaml:"quarantine_entries"`
	QuarantineShare   int `yaml:"quarantine_share"`
	// Memory is how many bytes all requests together may hold at a time.
	Memory int64 `yaml:"memory"`
	// PendingDevices is how many refused callers are remembered for approval.
	PendingDevices int `yaml:"pending_devices"`
}

// Log says how the log is written to standard error.
type Log struct {
	Level  string `yaml:"level"`  // debug, info, warn or error
	Format string `yaml:"format"` // text or json
}

// Default is the configuration of a server nobody has configured.
func Default() Config {
	return Config{
		AE:         "COLLIMATOR",
		HTTP:       "127.0.0.1:8443",
		DICOM:      "127.0.0.1:2762",
		PlainDICOM: "127.0.0.1:11112",
		SignIn:     SignIn{SecondFactor: "required", Local: true, Idle: 30 * time.Minute, Absolute: 12 * time.Hour},
		Inspect: Inspect{
			Programs: "quarantine", ActiveDocuments: "quarantine", SealedDocuments: "accept", Containers: "accept",
			Preambles: "accept", Contradictions: "accept", Viruses: "quarantine", Unscanned: "refuse",
		},
		Limits: Limits{
			Associations:           256,
			AssociationsPerAddress: 64,
			FindMatches:            100_000,
			Idle:                   10 * time.Minute,
			ObjectElements:         8_000_000,
			ObjectBytes:            16 << 30,
			QuarantineEntries:      10_000,
			QuarantineShare:        2_500,
			Memory:                 160 << 20,
			PendingDevices:         1000,
		},
		Deidentify: Deidentify{Keep: []string{"shifted-dates"}},
		Audit:      Audit{Wait: time.Minute},
		Ledger:     Ledger{Every: time.Hour},
		Log:        Log{Level: "info", Format: "text"},
	}
}

// Load lays the file at path over the defaults. Without a path the file in the
// data directory is read where it exists. A key that is not known is refused.
func Load(path, data string) (Config, error) {
	c := Default()
	c.Data = DataDir(data)

	named := path != ""
	if !named {
		path = filepath.Join(c.Data, File)
	}

	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) && !named {
		return c, nil
	}

	if err != nil {
		return c, fmt.Errorf("config: %w", err)
	}

	if err := checkKeys(b); err != nil {
		return c, err
	}
	c.From = path

	dec := yaml.NewDecoder(bytes.NewReader(b))
	dec.KnownFields(true)
	if err := dec.Decode(&c); err != nil && !errors.Is(err, io.EOF) {
		return c, fmt.Errorf("config: %s: %w; see 'collimator config show' for the keys that exist", path, err)
	}

	if data != "" {
		c.Data = data
	}
	return c, nil
}

// DataDir is the directory to use: the one given, else $COLLIMATOR_DATA, else
// the state directory that systemd gives a service, else ./data.
func DataDir(given string) string {
	for _, d := range []string{given, os.Getenv("COLLIMATOR_DATA"), os.Getenv("STATE_DIRECTORY")} {
		if d != "" {
			// systemd joins several state directories with colons; ours is the first.
			if d != given {
				d, _, _ = strings.Cut(d, ":")
			}
			return d
		}
	}
	return "data"
}

// YAML is the effective configuration in the form of the file.
func (c Config) YAML() ([]byte, error) {
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := enc.Encode(c); err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	return out.Bytes(), nil
}
