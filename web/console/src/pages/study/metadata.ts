import { offline, readProblem } from '../../api/problem';

// Element is one of an instance, as DICOMweb gives it (PS3.18 F.2).
interface Element { vr?: string; Value?: unknown[]; BulkDataURI?: string; InlineBinary?: string }
export type Metadata = Record<string, Element>;

export interface Row { id: string; depth: number; tag: string; keyword: string; vr: string; value: string }

// Bounds of what is made of an instance: longer values are cut, and what is nested without end is left.
const valueMost = 500;
const rowsMost = 50_000;

export async function metadataOf(study: string, series: string, instance: string, signal: AbortSignal): Promise<Metadata> {
  const at = `/dicom-web/studies/${encodeURIComponent(study)}/series/${encodeURIComponent(series)}/instances/${encodeURIComponent(instance)}/metadata`;
  let answer: Response;
  try {
    answer = await fetch(at, { headers: { Accept: 'application/dicom+json' }, credentials: 'same-origin', cache: 'no-store', signal });
  } catch (e) {
    throw signal.aborted ? e : offline();
  }
  if (!answer.ok) throw await readProblem(answer);
  const [first] = await answer.json() as Metadata[];
  return first ?? {};
}

// keywords are those of PS3.6, in a chunk of their own.
export async function keywords(): Promise<Map<string, string>> {
  const { dictionary } = await import('./dictionary');
  const all = new Map<string, string>();
  for (const line of dictionary.trim().split('\n')) {
    const [group, ...elements] = line.split(' ');
    for (const e of elements) all.set(group + e.slice(0, 4), e.slice(4));
  }
  return all;
}

// flat is every element with those of its items below it.
export function flat(of: Metadata, names: Map<string, string>): Row[] {
  const out: Row[] = [];
  const walk = (items: Metadata, depth: number, above: string) => {
    for (const [tag, element] of Object.entries(items)) {
      if (out.length >= rowsMost) return;
      const nested = element.vr === 'SQ' ? (element.Value ?? []) as Metadata[] : [];
      out.push({
        id: above + tag, depth, tag: `(${tag.slice(0, 4)},${tag.slice(4)})`, keyword: names.get(tag) ?? '', vr: element.vr ?? '',
        value: element.vr === 'SQ' ? `[${nested.length}]` : text(element),
      });
      nested.forEach((item, n) => walk(item ?? {}, depth + 1, `${above}${tag}.${n}/`));
    }
  };
  walk(of, 0, '');
  return out;
}

function text({ Value: values, BulkDataURI: bulk, InlineBinary: inline }: Element): string {
  if (bulk !== undefined || inline !== undefined) return '…';
  const all = (values ?? []).map(v => typeof v === 'object' && v !== null ? Object.values(v).join(' = ') : String(v ?? '')).join(' \\ ');
  return all.length > valueMost ? all.slice(0, valueMost) + '…' : all;
}

// found are the rows that hold all words, and the sequences they stand in.
export function found(rows: Row[], search: string): Row[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return rows;
  const keep = new Set<string>();
  for (const r of rows) {
    const all = `${r.tag} ${r.tag.replace(/\W/g, '')} ${r.keyword} ${r.vr} ${r.value}`.toLowerCase();
    if (!words.every(w => all.includes(w))) continue;
    for (let id = r.id; id !== ''; id = id.includes('/') ? id.slice(0, id.lastIndexOf('/')).replace(/\.\d+$/, '') : '') keep.add(id);
  }
  return rows.filter(r => keep.has(r.id));
}
