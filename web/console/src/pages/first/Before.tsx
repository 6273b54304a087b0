import { Circle, CircleCheck } from 'lucide-react';
import { useRoute } from '../../api/useRoute';
import { useWords } from '../../language';
import { address } from '../../route';
import { first as own } from '../../words/first';
import { named } from '../../words/words';
import { CopyLine } from '../../ui/CopyLine';
import { Link } from '../../ui/Link';
import { Loaded } from '../../ui/State';

// Where a point is closed in the console; what has none is closed by a command or a setting.
const pages: { [id: string]: string } = { 'second-administrator': 'people' };

// Before is what is left to do before the archive is relied on, with what does it.
export function Before() {
  const t = useWords(own);
  const overview = useRoute('GET /api/v1/overview', {}, { on: ['people', 'devices'] });
  return (
    <section className="stack">
      <h2>{t.before}</h2>
      <Loaded from={overview}>{({ open }) => {
        const left = open.filter(p => !p.done).length;
        return <>
          <p className="quiet">{left === 0 ? t.nothingOpen : t.openPoints(left, open.length)}</p>
          <ul className="points">{open.map(p => <li key={p.id} data-done={p.done}>
            <div className="row">{p.done ? <CircleCheck className="icon" aria-hidden /> : <Circle className="icon" aria-hidden />}<b>{named(t.points, p.id)}</b>{p.done && <span className="quiet">{t.done}</span>}</div>
            {!p.done && <>
              <p className="quiet">{named(t.why, p.id)}</p>
              {pages[p.id] !== undefined && <div><Link to={address(pages[p.id] ?? '')} kind="plain">{t.openPage}</Link></div>}
              {p.do && (p.do.startsWith('collimator ') ? <CopyLine text={p.do} /> : <p lang="en" className="mono">{p.do}</p>)}
            </>}
          </li>)}</ul>
        </>;
      }}</Loaded>
    </section>
  );
}
