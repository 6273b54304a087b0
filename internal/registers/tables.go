package registers

import "slices"

// Table says how a register is covered. Every column of the table stands in Key,
// Covered or Left; a test compares this with the schema.
type Table struct {
	// Name is that of the table, and of the register in a leaf.
	Name string
	// Word is what people call a row of it, before its key.
	Word string
	// Key are the columns by which a leaf names the row. A value of bytes is the
	// hash of a secret: the leaf holds a digest of it.
	Key []string
	// Covered are the other columns that the digest of a row is made of.
	Covered []string
	// Left are columns that change often and let nobody in: they may be changed
	// by Touch without a leaf, and verify does not look at them.
	Left []string
	// Later are columns among Covered that were added after rows had been
	// recorded, with the value the migration gave them: they are not part of
	// the digest while they have it.
	Later map[string]any
}

// Tables are the registers, in the order in which they are verified. Never
// rename one: old leaves have the name.
func Tables() []Table {
	return []Table{
		{Name: "device", Word: "device", Key: []string{"ae_title"},
			Covered: []string{"address", "verbs", "destinations", "listen", "plaintext_until", "created", "removed",
				"no_certificate_until"},
			Later: map[string]any{"no_certificate_until": int64(0)}},
		{Name: "device_certificate", Word: "certificate", Key: []string{"ae_title", "fingerprint"},
			Covered: []string{"subject", "not_after", "created", "removed", "weakness"}},

		{Name: "person", Word: "person", Key: []string{"name"},
			Covered: []string{"role", "password_hash", "created", "disabled"}},
		{Name: "person_subject", Word: "name at an identity provider", Key: []string{"person", "issuer", "subject"}},
		{Name: "person_link", Word: "one-time link for", Key: []string{"person", "hash"},
			Covered: []string{"purpose", "role", "factors", "expires", "maker"},
			Later:   map[string]any{"maker": ""}},
		{Name: "totp", Word: "authenticator app of", Key: []string{"person"},
			Covered: []string{"secret", "pending", "step", "session"},
			Later:   map[string]any{"session": ""}},
		{Name: "recovery_code", Word: "recovery code of", Key: []string{"person", "hash"}},
		{Name: "passkey_handle", Word: "passkey handle of", Key: []string{"person"}, Covered: []string{"handle"}},
		{Name: "passkey", Word: "passkey of", Key: []string{"person", "id"},
			Covered: []string{"rp", "name", "credential", "created"}, Left: []string{"used"}},

		{Name: "session", Word: "session of", Key: []string{"person", "id"},
			Covered: []string{"hash", "complete", "method", "address", "created", "expires", "proven", "provider"}, Left: []string{"seen"},
			Later: map[string]any{"proven": int64(0), "provider": ""}},
		{Name: "study_grant", Word: "grant to", Key: []string{"person", "study"}, Covered: []string{"created"}},
		{Name: "group_grant", Word: "grant to the group", Key: []string{"name", "study"}, Covered: []string{"created"}},
		{Name: "provider_group", Word: "group of", Key: []string{"person", "issuer", "claim", "name"}},

		{Name: "access_token", Word: "token", Key: []string{"id"},
			Covered: []string{"hash", "owner", "verbs", "studies", "created", "expires", "revoked", "operator"},
			Later:   map[string]any{"operator": int64(0)}},
		{Name: "share", Word: "link", Key: []string{"id"},
			Covered: []string{"hash", "owner", "study", "deidentified", "password_hash", "created", "expires", "revoked"},
			Left:    []string{"used"}},
		{Name: "share_session", Word: "browser with link", Key: []string{"share", "hash"}, Covered: []string{"expires"}},

		{Name: "study_mark", Word: "what is said of the study", Key: []string{"study"},
			Covered: []string{"status", "note", "labels", "changed", "person"}},

		{Name: "commitment_report", Word: "commitment report for", Key: []string{"ae_title", "id"},
			Covered: []string{"report", "event_type", "created"}, Left: []string{"attempts", "next"}},
		{Name: "gate_commitment", Word: "commitment through the gate for", Key: []string{"device", "route", "transaction_uid"},
			Covered: []string{"created"}},
		{Name: "maintenance_door", Word: "maintenance door", Key: []string{"number"},
			Covered: []string{"route", "target", "elsewhere", "person", "opener", "opened", "until", "hash",
				"claimed", "session", "address", "ended", "why"}},
		{Name: "audit_delivery", Word: "delivery of the trail to", Key: []string{"repository"}, Covered: []string{"sequence"}},
		{Name: "posture_told", Word: "alarms told to", Key: []string{"channel"}, Covered: []string{"sequence", "event"}},
		{Name: "ledger_witness", Word: "what was written to the witness", Key: []string{"path"},
			Covered: []string{"checkpoints", "bytes", "note"}},
	}
}

// tableNamed is the register of a table.
func tableNamed(name string) (Table, bool) {
	for _, t := range Tables() {
		if t.Name == name {
			return t, true
		}
	}
	return Table{}, false
}

// columns are what a row is read by: key first.
func (t Table) columns() []string { return slices.Concat(t.Key, t.Covered) }
