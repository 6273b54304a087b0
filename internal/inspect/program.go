package inspect

import (
	"bytes"
	"encoding/binary"
)

// Program says that bytes are the beginning of a program, and of which kind: head is
// the first 512 of them, or all where there are fewer. A page, a document or a container is none.
func Program(head []byte) (Kind, bool) {
	switch kind := recognise(head); kind {
	case ELF, MachO:
		return kind, true
	case Script:
		return kind, interpreterLine(head)
	case PE:
		if len(head) < 64 {
			return kind, false
		}
		at := int64(binary.LittleEndian.Uint32(head[60:]))
		beyond := at > int64(len(head))-4 && len(head) >= headLength && at < peMost && bytes.IndexByte(head[:64], 0) >= 0
		return kind, beyond || at <= int64(len(head))-4 && bytes.HasPrefix(head[at:], []byte("PE\x00\x00"))
	}
	return "", false
}

// peMost is how far behind the beginning of a program its PE header stands at most; text
// that begins with the two letters leads further, or has no zeros.
const peMost = 1 << 20
