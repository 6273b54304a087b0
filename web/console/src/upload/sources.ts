// Part is one file that may be an object: of a folder, of a ZIP file, or picked.
export interface Part { name: string; body: Blob }

// Bounds of a ZIP file that somebody hands over.
const entriesMost = 200_000;
const entryMost = 2 ** 31;
const ratioMost = 200; // bytes of all that is in it, for one of the file
const smallest = 2 ** 28; // bytes to which the ratio is not held

// parts gives the files one after the other, and what is in ZIP files in their place. A ZIP file is read as a
// stream: of all that is in it one file at a time is in memory.
export async function* parts(files: AsyncIterable<File> | Iterable<File>): AsyncGenerator<Part> {
  for await (const file of files) {
    if (await begins(file, 0, 'PK\u0003\u0004')) yield* unpacked(file);
    else yield { name: nameOf(file), body: file };
  }
}

// isObject reports a Part 10 file (PS3.10 7.1) that is no directory of a medium: those are read, and not stored.
export const isObject = async (part: Part) => !/(^|\/)DICOMDIR$/i.test(part.name) && await begins(part.body, 128, 'DICM');

async function begins(body: Blob, at: number, text: string): Promise<boolean> {
  const bytes = new Uint8Array(await body.slice(at, at + text.length).arrayBuffer());
  return String.fromCharCode(...bytes) === text;
}

const nameOf = (file: File) => file.webkitRelativePath || file.name;

async function* unpacked(file: Blob): AsyncGenerator<Part> {
  const { Unzip, UnzipInflate } = await import('fflate'); // only for who needs it
  const ready: Part[] = [];
  let entries = 0;
  let all = 0;
  const bound = Math.max(smallest, file.size * ratioMost);
  let broken: Error | undefined;
  const zip = new Unzip(entry => {
    if (++entries > entriesMost) throw new Error('too many');
    if (entry.name.endsWith('/')) return;
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    let size = 0;
    entry.ondata = (error, data, final) => {
      if (error) { broken = error; return; }
      size += data.length;
      all += data.length;
      if (size > entryMost || all > bound) throw new Error('too large');
      chunks.push(data as Uint8Array<ArrayBuffer>);
      if (final) ready.push({ name: entry.name, body: new Blob(chunks) });
    };
    entry.start();
  });
  zip.register(UnzipInflate);

  const stream = file.stream().getReader();
  for (;;) {
    const { done, value } = await stream.read();
    zip.push(value ?? new Uint8Array(), done);
    if (broken) throw broken;
    yield* ready.splice(0);
    if (done) return;
  }
}
