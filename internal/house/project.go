package house

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"collimator/dicom/deid"
	"collimator/internal/archive"
	"collimator/internal/disclosure"
	"collimator/internal/durable"
	"collimator/internal/fault"
	"collimator/internal/pacs"
)

// DeidentifyKey is the file of the secret from which projects make pseudonyms.
const DeidentifyKey = "deidentify.key"

// OpenProjects reads the secret of the installation, or makes it.
func OpenProjects(in *Installation, a *archive.Archive, log *slog.Logger) (*disclosure.Projects, error) {
	profile, err := Profile(in.Config.Deidentify.Keep)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(in.Config.Data, KeysDir, DeidentifyKey)

	// An earlier version left an empty file where the disk was full or the power
	// went at the first start. No pseudonym can have been made from it.
	if info, err := os.Stat(path); err == nil && info.Size() == 0 {
		log.Warn("the project key is an empty file: a new key is made", "file", DeidentifyKey)
		if err := durable.Remove(path); err != nil {
			return nil, fmt.Errorf("project key: remove the empty file: %w", err)
		}
	}
	key, err := ReadProjectKey(path)
	if errors.Is(err, fs.ErrNotExist) {
		key, err = NewProjectKey(path)
	}
	if err != nil {
		return nil, err
	}
	return disclosure.NewProjects(&pacs.Web{Archive: a}, key, profile), nil
}

// ReadProjectKey reads a key that nobody else may read.
func ReadProjectKey(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fault.Usage("project key: others may read %s: chmod 600 it", path)
	}

	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if len(text) == 0 {
		return nil, fault.Usage("project key: %s is empty: writing it was interrupted, "+
			"and nothing was made with it; remove it and make a new one", path)
	}

	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) < deid.KeySize {
		return nil, fault.Usage("project key: %s does not hold a key: want %d or more hexadecimal digits; restore it from a backup, "+
			"because with another key all pseudonyms become others", path, 2*deid.KeySize)
	}
	return key, nil
}

// ProjectKey makes the key of a project, or reads one that is there.
func ProjectKey(path string, anew bool) ([]byte, error) {
	if anew {
		return NewProjectKey(path)
	}
	key, err := ReadProjectKey(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Usage("--project-key: %s is not there; --new-key makes it", path)
	}
	return key, err
}

// Profile is the options of PS3.15 E.3 that the words name.
func Profile(keep []string) (deid.Profile, error) {
	var p deid.Profile
	if slices.Contains(keep, "dates") && slices.Contains(keep, "shifted-dates") {
		return p, fault.Usage("keep: choose dates or shifted-dates")
	}

	for _, k := range keep {
		switch k {
		case "dates":
			p.Dates = deid.KeepDates
		case "shifted-dates":
			p.Dates = deid.ShiftDates
		case "uids":
			p.RetainUIDs = true
		case "devices":
			p.RetainDeviceIdentity = true
		case "institutions":
			p.RetainInstitutionIdentity = true
		case "characteristics":
			p.RetainPatientCharacteristics = true
		case "descriptors":
			p.CleanDescriptors = true
		case "structured":
			p.CleanStructuredContent = true
		case "graphics":
			p.CleanGraphics = true
		case "safe-private":
			p.RetainSafePrivate = true
		default:
			return p, fault.Usage("keep: %q is nothing that can be kept; "+
				"choose dates or shifted-dates, uids, devices, institutions, characteristics, descriptors, "+
				"structured, graphics, safe-private", k)
		}
	}
	return p, nil
}

// NewProjectKey makes a key and the file of it: whole or not at all, because a
// part of one would keep the archive from starting.
func NewProjectKey(path string) ([]byte, error) {
	key := make([]byte, deid.KeySize)
	rand.Read(key) // never returns an error (crypto/rand)
	err := durable.Once(path, []byte(hex.EncodeToString(key)+"\n"), 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, fault.Usage("--new-key: %s is there already; leave --new-key out to use it", path)
	}
	return key, err
}
