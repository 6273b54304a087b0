package inspect

import (
	"bytes"
	"compress/zlib"
	"io"
)

// lookIntoPDF looks for active names in a document's text and in its compressed
// streams. What may hold objects and is not wholly understood is sealed.
func lookIntoPDF(b []byte, inflated int64) Kind {
	p := &pdf{b: b, inflated: inflated, work: 8*int64(len(b)) + 1<<20}

	active, encrypted := namesIn(b, true, true)
	switch {
	case active:
		return ActivePDF
	case encrypted:
		return SealedPDF
	}

	return p.objects()
}

// pdf is a document that is looked into.
type pdf struct {
	b        []byte
	inflated int64 // bytes that may still come out of its streams
	work     int64 // bytes of dictionaries that may still be read: they may overlap
	sealed   bool
	z        io.ReadCloser // used again for each stream
	chunk    []byte
}

// objects looks at whatever stands behind "obj", wherever that is: readers find
// objects by a table, and where it is broken by that word.
func (p *pdf) objects() Kind {
	for at := 0; ; {
		i := bytes.Index(p.b[at:], []byte("obj"))
		if i < 0 {
			break
		}

		at += i + len("obj")
		if bytes.HasSuffix(p.b[:at], []byte("endobj")) {
			continue
		}

		d, n, whole := readDictionary(p.b[at:], p.work)
		p.work -= int64(n) // of all dictionaries together, so that no file takes longer
		if p.work <= 0 {
			p.sealed = true
			break
		}

		if !whole {
			p.sealed = p.sealed || d.holdsObjects() || d.filters > 0
			continue
		}

		if data, ok := streamBehind(p.b[at+n:]); ok && p.stream(d, data) {
			return ActivePDF
		}
	}

	if p.sealed {
		return SealedPDF
	}
	return ""
}

// stream looks into a stream and reports what does something.
func (p *pdf) stream(d dictionary, data []byte) (active bool) {
	objects := d.holdsObjects()
	if objects && !d.understood() {
		p.sealed = true
	}

	if d.picture && !objects || p.inflated <= 0 {
		return false
	}

	if !p.open(data) {
		p.sealed = p.sealed || objects && d.filters > 0
		return false
	}

	active, whole := p.search(objects)
	p.sealed = p.sealed || p.inflated <= 0 || !whole && objects
	return active
}

// open begins to inflate a stream; false for one that is not compressed so.
func (p *pdf) open(data []byte) bool {
	if len(data) < 2 || data[0]&0x0F != 8 || (uint(data[0])<<8|uint(data[1]))%31 != 0 {
		return false
	}

	var err error
	if p.z == nil {
		p.z, err = zlib.NewReader(bytes.NewReader(data))
	} else {
		err = p.z.(zlib.Resetter).Reset(bytes.NewReader(data), nil)
	}
	if err != nil {
		p.z = nil
	}
	return err == nil
}

// longestName is more than the bytes of the longest name that is looked for, with
// each of its characters written in hexadecimal.
const longestName = 64

// search looks for names in what is inflated, piece by piece; whole says that the
// stream came to its end. In what holds no objects by itself, short names are
// looked for only where it looks like text: in pictures they stand by chance.
func (p *pdf) search(objects bool) (active, whole bool) {
	if p.chunk == nil {
		p.chunk = make([]byte, 64<<10)
	}

	have := 0
	first := true
	for {
		n, err := io.ReadFull(p.z, p.chunk[have:])
		p.inflated -= int64(n)
		have += n
		if first {
			objects = objects || looksLikeText(p.chunk[:have])
			first = false
		}

		if active, _ := namesIn(p.chunk[:have], objects, err != nil); active {
			return true, true
		}

		if err != nil {
			return false, err == io.EOF || err == io.ErrUnexpectedEOF && p.ended()
		}

		if p.inflated <= 0 {
			return false, false
		}

		have = copy(p.chunk, p.chunk[len(p.chunk)-longestName:])
	}
}

// ended reports that the stream was complete: ReadFull says for both a short piece
// and a stream that is cut off that its end was not expected.
func (p *pdf) ended() bool {
	var one [1]byte
	n, err := p.z.Read(one[:])
	return n == 0 && err == io.EOF
}

// streamBehind is the data of a stream behind a dictionary, up to the end of the
// document (ISO 32000-1 7.3.8.1).
func streamBehind(b []byte) ([]byte, bool) {
	b, ok := bytes.CutPrefix(b[skipBlanks(b):], []byte("stream"))
	return bytes.TrimLeft(b, "\r\n"), ok
}

// namesIn looks for names that do something, and for the one of encryption. Names
// are read as readers do: #4A stands for J, and a name ends where the next token
// begins (ISO 32000-1 7.3.5, 7.2.2). Without short, those of a few characters do
// not count; one at the end of what is not the last piece is seen in the next.
func namesIn(b []byte, short, last bool) (active, encrypted bool) {
	for {
		i := bytes.IndexByte(b, '/')
		if i < 0 {
			return active, encrypted
		}
		b = b[i+1:]
		if !last && len(b) < longestName {
			return active, encrypted
		}

		var buffer [longestName / 3]byte
		switch string(readName(b, buffer[:0])) {
		case "JS", "XFA":
			active = active || short
		case "JavaScript", "Launch", "EmbeddedFile", "EmbeddedFiles", "RichMedia", "SubmitForm", "ImportData",
			"GoToE", "GoToR", "Rendition", "Sound", "Movie":
			// Actions and containers that do something, or carry something, when a
			// document is opened (ISO 32000-1 12.6.4, 7.11.4, 13).
			active = true
		case "Encrypt":
			encrypted = true
		}
	}
}

// readName reads a name behind its slash, as far as out has room.
func readName(b, out []byte) []byte {
	for i := 0; i < len(b) && len(out) < cap(out) && !delimiter(b[i]); i++ {
		c := b[i]
		if c == '#' && i+2 < len(b) {
			if hi, lo := hexDigit(b[i+1]), hexDigit(b[i+2]); hi >= 0 && lo >= 0 {
				c = byte(hi<<4 | lo)
				i += 2
			}
		}

		out = append(out, c)
	}
	return out
}

func delimiter(c byte) bool {
	switch c {
	case ' ', '\t', '\r', '\n', '\f', 0, '(', ')', '<', '>', '[', ']', '{', '}', '/', '%':
		return true
	}
	return false
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// looksLikeText tells PDF syntax from the bytes of a picture in which a short
// name may stand by chance.
func looksLikeText(b []byte) bool {
	printable := 0
	head := b[:min(len(b), 4096)]
	for _, c := range head {
		if c >= 0x20 && c < 0x7F || c == '\n' || c == '\r' || c == '\t' {
			printable++
		}
	}

	return printable*10 >= len(head)*9
}
