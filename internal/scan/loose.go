package scan

import (
	"bytes"
	"encoding/binary"

	"collimator/dicom/uid"
	"collimator/dimse/ul"
)

// looseAccept reads an A-ASSOCIATE-AC that is not as it should be, such as one
// with a name that is too long or not printable: it is an acceptance all the same,
// and that is what a scan must not miss. nil where the application context of
// DICOM is not in it. Nothing outside the body is read; unknown items are skipped.
func looseAccept(body []byte) *ul.AssociateAC {
	const fixed = 2 + 2 + 16 + 16 + 32 // PS3.8 9.3.3
	if len(body) < fixed {
		return nil
	}

	ac := &ul.AssociateAC{}
	ours := false
	eachItem(body[fixed:], func(kind byte, item []byte) {
		switch kind {
		case 0x10:
			ours = ours || bytes.HasPrefix(item, []byte(uid.ApplicationContext))
		case 0x21:
			if len(item) >= 4 && len(ac.Contexts) < 128 {
				pc := ul.AcceptedContext{ID: item[0], Result: ul.ContextResult(item[2])}
				eachItem(item[4:], func(_ byte, name []byte) { pc.TransferSyntax = clean(string(name), 64) })
				ac.Contexts = append(ac.Contexts, pc)
			}
		case 0x50:
			eachItem(item, func(kind byte, sub []byte) { looseUser(&ac.User, kind, sub) })
		}
	})

	if !ours {
		return nil
	}
	return ac
}

func looseUser(u *ul.UserInformation, kind byte, sub []byte) {
	switch {
	case kind == 0x51 && len(sub) == 4:
		u.MaxPDULength = binary.BigEndian.Uint32(sub)
	case kind == 0x52:
		u.ImplementationClassUID = clean(string(sub), 64)
	case kind == 0x55:
		u.ImplementationVersionName = clean(string(sub), 16)
	case kind == 0x59:
		u.IdentityResponse = &ul.UserIdentityResponse{}
	}
}

// eachItem calls f for each item that is whole (PS3.8 9.3.1).
func eachItem(b []byte, f func(kind byte, item []byte)) {
	for len(b) >= 4 {
		n := int(binary.BigEndian.Uint16(b[2:]))
		if n > len(b)-4 {
			return
		}
		f(b[0], b[4:4+n])
		b = b[4+n:]
	}
}
