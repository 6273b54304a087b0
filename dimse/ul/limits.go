package ul

// Limits bound what a peer may send. A zero field takes its default.
type Limits struct {
	// AssociatePDU is the longest A-ASSOCIATE-RQ or -AC in bytes after the header; default 1 MiB.
	AssociatePDU uint32
	// PDataPDU is the longest P-DATA-TF in bytes after the header; default 4 MiB.
	// An acceptor sets it to the maximum length it advertised.
	PDataPDU uint32
	// Contexts is the most presentation contexts; default and most 128 (odd identifiers).
	Contexts int
	// TransferSyntaxes is the most transfer syntaxes in one context; default 64.
	TransferSyntaxes int
	// UserItems is the most user information sub-items; default 1024.
	UserItems int
	// Credential is the longest user identity field in bytes; default 16 KiB.
	Credential int
}

func (l Limits) withDefaults() Limits {
	def := func(p *int, v int) {
		if *p <= 0 {
			*p = v
		}
	}

	if l.AssociatePDU == 0 {
		l.AssociatePDU = 1 << 20
	}
	if l.PDataPDU == 0 {
		l.PDataPDU = 4 << 20
	}

	def(&l.Contexts, 128)
	l.Contexts = min(l.Contexts, 128)
	def(&l.TransferSyntaxes, 64)
	def(&l.UserItems, 1024)
	def(&l.Credential, 16<<10)
	return l
}
