import { offline, readProblem } from '../api/problem';
import type { Part } from './sources';

// Stored is what became of one object. code says why not (a word of the API, or the Failure Reason of PS3.18 I.2.2
// in four hexadecimal digits).
export interface Stored { ok: boolean; code?: string }

const kind = 'application/dicom+json';

// How often a server that has much to do is asked again.
const tries = 5;

// store sends one object by STOW-RS (PS3.18 10.5), the whole of a request, so that each has an answer of its own.
export async function store(part: Part, signal: AbortSignal): Promise<Stored> {
  const edge = 'collimator-' + crypto.randomUUID();
  const body = new Blob([`--${edge}\r\nContent-Type: application/dicom\r\n\r\n`, part.body, `\r\n--${edge}--\r\n`]);
  for (let n = 1; ; n++) {
    const answer = await send(body, edge, signal);
    if (answer.ok) return answer.status === 202 ? { ok: true, ...reason(await answer.json()) } : { ok: true };
    if (answer.status === 503 && n < tries) {
      await wait(Number(answer.headers.get('Retry-After')) || n, signal);
      continue;
    }
    if (answer.status === 409 && answer.headers.get('Content-Type')?.startsWith(kind)) return { ok: false, ...reason(await answer.json()) };
    const problem = await readProblem(answer);
    if (problem.status === 401) throw problem;
    return { ok: false, code: problem.code };
  }
}

async function send(body: Blob, edge: string, signal: AbortSignal): Promise<Response> {
  try {
    return await fetch('/dicom-web/studies', {
      method: 'POST', body, signal, credentials: 'same-origin',
      headers: { Accept: kind, 'Content-Type': `multipart/related; type="application/dicom"; boundary=${edge}` },
    });
  } catch (e) {
    throw signal.aborted ? e : offline();
  }
}

const wait = (seconds: number, signal: AbortSignal) => new Promise<void>(resolve => {
  const timer = setTimeout(resolve, Math.min(seconds, 10) * 1000);
  signal.addEventListener('abort', () => { clearTimeout(timer); resolve(); }, { once: true });
});

interface Attribute { Value?: unknown[] }

// reason is the Failure Reason (0008,1197) of the first item of the Failed SOP Sequence (0008,1198).
function reason(answer: unknown): { code?: string } {
  const failed = (answer as Record<string, Attribute>)['00081198']?.Value?.[0] as Record<string, Attribute> | undefined;
  const code = failed?.['00081197']?.Value?.[0];
  return typeof code === 'number' ? { code: code.toString(16).toUpperCase().padStart(4, '0') } : {};
}
