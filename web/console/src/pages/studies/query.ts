import type { Args } from '../../api/routes';

// What the list shows, as the address has it: q is what somebody typed, days the study date in a word.
export const filters = ['q', 'days', 'modality', 'source', 'label', 'status'] as const;
export type Filter = (typeof filters)[number];

export const spans = ['today', 'week'] as const;

export const rows = 50;

type Query = NonNullable<Args<'GET /api/v1/studies'>['query']>;

// queryOf is what is asked of the API. The last page is the first of the list in the other direction (back).
export function queryOf(shows: URLSearchParams, now = new Date()): Query {
  const typed = inWords(shows.get('q') ?? '');
  const span = spans.find(s => s === shows.get('days'));
  const days = span && { from: dayOf(span === 'today' ? now : new Date(now.getFullYear(), now.getMonth(), now.getDate() - 6)), to: dayOf(now) };
  const query: Query = { limit: String(rows), sort: turned(sortOf(shows), shows.get('back') !== null), ...days, ...typed };
  for (const name of ['modality', 'source', 'label', 'status', 'cursor'] as const) {
    const value = shows.get(name);
    if (value) query[name] = value;
  }
  return query;
}

export const sortOf = (shows: URLSearchParams) => shows.get('sort') || '-date';

const turned = (sort: string, back: boolean) => !back ? sort : sort.startsWith('-') ? sort.slice(1) : '-' + sort;

// inWords takes days out of what was typed, as 24.12.2025 or 2025-12-24: one is the day of the study, two are the
// first and the last. The rest are the beginnings of words.
export function inWords(text: string): { q?: string; from?: string; to?: string } {
  const days: string[] = [];
  const words = text.split(/\s+/).filter(word => {
    const day = typedDay(word);
    if (day) days.push(day);
    return word && !day && !/^[–-]$/.test(word);
  });
  days.sort();
  const [from] = days, to = days.at(-1);
  return { ...(words.length > 0 && { q: words.join(' ') }), ...(from && to && { from, to }) };
}

function typedDay(word: string): string | undefined {
  const german = /^(\d{1,2})\.(\d{1,2})\.(\d{4})$/.exec(word);
  const [year, month, day] = german ? [german[3], german[2], german[1]] : /^(\d{4})-(\d{2})-(\d{2})$/.exec(word)?.slice(1) ?? [];
  if (!year || !month || !day) return undefined;
  const date = new Date(Number(year), Number(month) - 1, Number(day));
  return date.getMonth() + 1 === Number(month) && date.getDate() === Number(day) ? dayOf(date) : undefined; // not 31.02.
}

const two = (n: number) => String(n).padStart(2, '0');
const dayOf = (d: Date) => `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
