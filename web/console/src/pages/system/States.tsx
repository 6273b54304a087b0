import { CircleAlert, CircleCheck, CircleDashed, OctagonAlert } from 'lucide-react';
import { addressOf, type Gives } from '../../api/routes';
import { useResource } from '../../api/useResource';
import { useWords } from '../../language';
import { system as own } from '../../words/system';
import { named } from '../../words/words';
import { Loaded } from '../../ui/State';
import { Table } from '../../ui/Table';
import { Time } from '../../ui/Time';
import './System.css';

const icons = { unknown: CircleDashed, well: CircleCheck, degraded: CircleAlert, failing: OctagonAlert };
const often = 15_000; // milliseconds: of states nobody is told

// States are those of all parts, the worst first, as 'collimator doctor' has them.
export function States() {
  const t = useWords(own);
  const states = useResource<Gives<'GET /api/v1/states'>>(addressOf('GET /api/v1/states'), { every: often });
  return <Loaded from={states}>{({ items }) => {
    const bad = items.filter(s => s.level !== 'well').length;
    return <div className="stack">
      <p><b>{bad === 0 ? t.allWell : t.notWell(bad, items.length)}</b></p>
      <Table label={t.states} rows={items} id={s => s.name} columns={[
        { id: 'level', name: t.level, cell: s => { const Icon = icons[s.level as keyof typeof icons] ?? CircleAlert; return <span className="level" data-of={s.level}><Icon className="icon" aria-hidden />{named(t.levels, s.level)}</span>; } },
        { id: 'name', name: t.part, head: true, cell: s => <><b lang="en">{s.name}</b>{s.text && <div className="quiet" lang="en">{s.text}</div>}</> },
        { id: 'do', name: t.act, cell: s => s.do ? <span lang="en">{s.do}</span> : '–' },
        { id: 'since', name: t.since, wide: true, cell: s => <Time at={s.since} /> },
      ]} />
    </div>;
  }}</Loaded>;
}
