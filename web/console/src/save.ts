// save hands a file to the person: it goes where the browser keeps what was downloaded.
export function save(name: string, content: string | Uint8Array<ArrayBuffer> | Blob, type = 'application/octet-stream') {
  const at = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  const a = document.createElement('a');
  a.href = at;
  a.download = name;
  a.click();
  setTimeout(() => URL.revokeObjectURL(at), 10_000); // a browser may still be reading
}

const table = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? n >>> 1 ^ 0xedb88320 : n >>> 1;
  return n >>> 0;
});

function crc32(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (const b of bytes) c = (c >>> 8 ^ (table[(c ^ b) & 255] ?? 0)) >>> 0;
  return (c ^ 0xffffffff) >>> 0;
}

// zip puts a few small files together, as they are (APPNOTE.TXT 4.3, stored). Names are ASCII.
export function zip(files: Record<string, string>): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder();
  const parts: Uint8Array[] = [];
  const central: Uint8Array[] = [];
  let at = 0;
  for (const [name, content] of Object.entries(files)) {
    const [title, bytes] = [text.encode(name), text.encode(content)];
    // Version 2.0, no flags, stored, the first of January 1980.
    const common = numbers([2, 20], [2, 0], [2, 0], [2, 0], [2, 0x21], [4, crc32(bytes)], [4, bytes.length], [4, bytes.length], [2, title.length], [2, 0]);
    parts.push(numbers([4, 0x04034b50]), common, title, bytes);
    // Made by Unix; 0600, since one of them may be a key.
    central.push(numbers([4, 0x02014b50], [2, 0x0314]), common, numbers([2, 0], [2, 0], [2, 0], [4, 0o100600 * 0x10000], [4, at]), title);
    at += 4 + common.length + title.length + bytes.length;
  }
  const size = central.reduce((n, p) => n + p.length, 0);
  const end = numbers([4, 0x06054b50], [2, 0], [2, 0], [2, Object.keys(files).length], [2, Object.keys(files).length], [4, size], [4, at], [2, 0]);
  return joined([...parts, ...central, end]);
}

// numbers are little-endian, each with its bytes.
function numbers(...list: [bytes: number, value: number][]): Uint8Array {
  return Uint8Array.from(list.flatMap(([bytes, value]) => Array.from({ length: bytes }, (_, i) => Math.floor(value / 256 ** i) & 255)));
}

function joined(parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) { all.set(p, at); at += p.length; }
  return all;
}
