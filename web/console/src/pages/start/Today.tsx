import type { Gives } from '../../api/routes';
import { useRoute } from '../../api/useRoute';
import { useWords } from '../../language';
import { address } from '../../route';
import { start } from '../../words/start';
import { Link } from '../../ui/Link';
import { Count } from '../../ui/Numbers';
import { Loaded } from '../../ui/State';

const looked = 200; // studies of which it is told from where they came

// Today is what came in since midnight, and from where, when the page is opened: numbers, and nobody's name.
export function Today() {
  const t = useWords(start);
  const studies = useRoute('GET /api/v1/studies', { query: { receivedFrom: day(new Date()), sort: '-received', limit: String(looked) } });
  return <section className="stack"><h2>{t.today}</h2><Loaded from={studies}>{list => list.items.length === 0 ? <p className="quiet">{t.nothingToday}</p> : <>
    <p><b>{t.came(list.total ?? list.totalAtLeast ?? list.items.length)}</b> <Link to={address('studies', { sort: '-received' })}>{t.toStudies}</Link></p>
    <ul className="tiles">{bySource(list).map(([source, n]) => <li className="tile" key={source}><h3>{source}</h3><div><Count of={n} /></div></li>)}</ul>
  </>}</Loaded></section>;
}

// bySource counts the studies of each source, the most first.
function bySource(list: Gives<'GET /api/v1/studies'>): Array<[string, number]> {
  const counts = new Map<string, number>();
  for (const s of list.items) for (const source of s.sources) counts.set(source, (counts.get(source) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]);
}

// day is one of this place, as the API has days.
const day = (d: Date) => `${d.getFullYear()}-${String(d.getMonth() + 1).padStart(2, '0')}-${String(d.getDate()).padStart(2, '0')}`;
