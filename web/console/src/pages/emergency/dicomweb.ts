// What is asked of DICOMweb with a reason (docs/people.md, Emergency access): the header is sent with each request,
// and nowhere else in the console.
const root = '/dicom-web';

export type DataSet = Record<string, { Value?: unknown[] } | undefined>;

export class Refused extends Error {}

async function ask(path: string, reason: string, accept: string, signal?: AbortSignal): Promise<Response> {
  const answer = await fetch(root + path, { headers: { 'Collimator-Emergency': reason, Accept: accept }, cache: 'no-store', ...(signal && { signal }) });
  if (!answer.ok) throw new Refused(String(answer.status));
  return answer;
}

async function list(path: string, reason: string): Promise<DataSet[]> {
  const answer = await ask(path, reason, 'application/dicom+json');
  return answer.status === 204 ? [] : await answer.json() as DataSet[];
}

export const studiesOf = (patientID: string, reason: string) =>
  list(`/studies?${new URLSearchParams({ PatientID: patientID.replace(/[\\*?]/g, ''), includefield: '00081030', limit: '50' })}`, reason);

export const imagesMost = 500;

export const imagesOf = (study: string, reason: string) =>
  list(`/studies/${encodeURIComponent(study)}/instances?limit=${imagesMost}`, reason);

const at = (image: DataSet) => `/studies/${text(image, '0020000D')}/series/${text(image, '0020000E')}/instances/${text(image, '00080018')}`;

export async function picture(image: DataSet, reason: string, signal: AbortSignal): Promise<Blob> {
  return (await ask(`${at(image)}/rendered`, reason, 'image/jpeg', signal)).blob();
}

// file is the whole object, out of the one part of the answer.
export async function file(image: DataSet, reason: string): Promise<Uint8Array<ArrayBuffer>> {
  const answer = await ask(at(image), reason, 'multipart/related; type="application/dicom"');
  const bytes = new Uint8Array(await answer.arrayBuffer());
  const boundary = /boundary="?([^";]+)"?/.exec(answer.headers.get('Content-Type') ?? '')?.[1] ?? '';
  const begin = find(bytes, '\r\n\r\n', 0) + 4;
  const end = find(bytes, `\r\n--${boundary}--`, Math.max(begin, bytes.length - boundary.length - 64));
  if (begin < 4 || end < begin) throw new Refused('multipart');
  return bytes.slice(begin, end);
}

function find(bytes: Uint8Array, what: string, from: number): number {
  const wanted = new TextEncoder().encode(what);
  for (let i = from; i <= bytes.length - wanted.length; i++) if (wanted.every((b, k) => bytes[i + k] === b)) return i;
  return -1;
}

// text is a value as text; empty where there is none.
export function text(of: DataSet, tag: string): string {
  const value = of[tag]?.Value?.[0];
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
