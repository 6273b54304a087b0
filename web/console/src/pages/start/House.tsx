import type { ReactNode } from 'react';
import type { Overview } from '../../api/openapi';
import { useRoute } from '../../api/useRoute';
import { useWords } from '../../language';
import { address } from '../../route';
import { start } from '../../words/start';
import { named } from '../../words/words';
import { Link } from '../../ui/Link';
import { Bytes, Percent } from '../../ui/Numbers';
import { Loaded } from '../../ui/State';
import { Time } from '../../ui/Time';

// House is how the archive itself is, for whoever administrates it.
export function House() {
  const t = useWords(start);
  const overview = useRoute('GET /api/v1/overview', {}, { on: ['devices', 'people', 'studies'] });
  return <section className="stack"><h2>{t.house}</h2><Loaded from={overview}>{o => <div className="tiles">
    <Tile title={t.toGo}><Open of={o} /></Tile>
    <Tile title={t.disk}>{o.disk.total > 0 ? <><b><Percent of={o.disk.free / o.disk.total} /></b> {t.free}: <Bytes of={o.disk.free} /> / <Bytes of={o.disk.total} /></> : '–'}</Tile>
    <Tile title={t.backup}>{o.backup.last ? <Time at={o.backup.last} /> : <b>{t.never}</b>}<div className="quiet small">{t.rehearsed}: {o.backup.rehearsed ? <Time at={o.backup.rehearsed} form="day" /> : t.never}</div></Tile>
    <Tile title={t.ending}>{o.ending.length === 0 ? t.noEnding : <ul>{o.ending.slice(0, 5).map(e => <li key={e.what + e.of}>{named(t.endings, e.what)} <b>{e.of}</b>: <Time at={e.until} form="day" /></li>)}</ul>}</Tile>
    <Tile title={t.queues}>{o.queues.length === 0 ? t.noQueues : <ul>{o.queues.map(q => <li key={q.destination + q.target}><b>{q.destination}</b>: {t.queued(q.waiting, q.aside)}{q.reason && <div className="quiet small" lang="en">{q.reason}</div>}</li>)}</ul>}</Tile>
  </div>}</Loaded></section>;
}

function Open({ of }: { of: Overview }) {
  const t = useWords(start);
  const left = of.open.filter(p => !p.done).length;
  return left === 0 ? <>{t.nothingOpen}</> : <><b>{t.openPoints(left)}</b><div><Link to={address('first')}>{t.toFirst}</Link></div></>;
}

const Tile = ({ title, children }: { title: string; children: ReactNode }) => <div className="tile"><h3>{title}</h3><div>{children}</div></div>;
