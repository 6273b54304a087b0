import { useState, type FormEvent } from 'react';
import { useApi } from '../../api/Api';
import { problemOf, type Problem } from '../../api/problem';
import { call, type Gives } from '../../api/routes';
import { useRoute } from '../../api/useRoute';
import { useWords } from '../../language';
import { address, useFragment } from '../../route';
import { useSession } from '../../session';
import { scans as own } from '../../words/scans';
import { surface } from '../../words/surface';
import { named } from '../../words/words';
import { Button } from '../../ui/Button';
import { Checkbox } from '../../ui/Checkbox';
import { Pairs } from '../../ui/Pairs';
import { Severity } from '../../ui/Severity';
import { Side } from '../../ui/Side';
import { Empty, Loaded, Reason } from '../../ui/State';
import { useSay } from '../../ui/Status';
import { Table } from '../../ui/Table';
import { TextField } from '../../ui/TextField';
import { Time } from '../../ui/Time';
import { look } from '../scans/look';
import { Running } from '../scans/Running';
import { Sent } from '../scans/Sent';
import { Area } from './Area';

export default function Scans() {
  const t = useWords(own);
  const { can } = useSession();
  const [shows, show] = useFragment();
  const one = shows.get('scan') ?? undefined;
  const scans = useRoute('GET /api/v1/scans', {}, { on: ['scans'] });
  const scope = useRoute('GET /api/v1/scope');
  const running = scans.data?.items.find(s => s.state === 'running');
  return (
    <Area title={t.title}>
      {running && <div className="panel"><Running id={running.id} /></div>}
      {can('scan') && !running && <Begin scope={scope.data} done={() => { scans.reload(); scope.reload(); }} />}
      <Loaded from={scans}>{({ items }) => items.length === 0 ? <Empty title={t.none}>{t.noneMore}</Empty> : <section className="stack">
        <h2>{t.all}</h2><p className="quiet">{t.sinceStart}</p>
        <Table label={t.all} rows={items} id={s => s.id} to={s => address('surface/scans', { scan: s.id })} columns={[
          { id: 'when', name: t.when, cell: s => <Time at={s.started} /> },
          { id: 'targets', name: t.targets, head: true, cell: s => <span className="mono">{s.targets.join(', ')}</span> },
          { id: 'state', name: t.state, cell: s => named(t.states, s.state) },
          { id: 'hosts', name: t.hosts, number: true, cell: s => s.hosts },
          { id: 'by', name: t.by, wide: true, cell: s => s.by },
        ]} />
      </section>}</Loaded>
      <Loaded from={scope}>{s => <section className="stack">
        <h2>{t.scope}</h2><p className="quiet">{t.scopeMore}</p>
        <div className="panel"><Pairs of={[[t.ranges, s.ranges.join(', ') || t.nothing], [t.exclude, s.exclude.join(', ') || t.nothing], [t.zones, s.zones.join(', ') || t.nothing]]} /></div>
        {can('configure') && <Declare done={scope.reload} />}
      </section>}</Loaded>
      {one && <One id={one} close={() => show('scan', undefined)} />}
    </Area>
  );
}

// Begin is a scan of what was declared.
function Begin({ scope, done }: { scope: Gives<'GET /api/v1/scope'> | undefined; done: () => void }) {
  const t = useWords(own);
  const api = useApi();
  const { can } = useSession();
  const [targets, setTargets] = useState<string>();
  const [ports, setPorts] = useState('');
  const [title, setTitle] = useState('');
  const [mine, setMine] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const text = targets ?? (scope?.ranges.length ? scope.ranges : scope?.own ?? []).join(' ');
  const begin = (e: FormEvent) => {
    e.preventDefault();
    setProblem(undefined);
    look(api, text, scope?.ranges ?? [], { ...(ports && { ports }), ...(title && { calledAETitle: title }) }).then(done, (x: unknown) => setProblem(problemOf(x)));
  };
  return (
    <form className="panel stack" onSubmit={begin}>
      <h2>{t.begin}</h2>
      <TextField label={t.targets} help={t.targetsMore} value={text} onChange={setTargets} isRequired maxLength={2000} />
      <div className="fields"><TextField label={t.ports} value={ports} onChange={setPorts} maxLength={200} /><TextField label={t.calledTitle} value={title} onChange={setTitle} maxLength={16} /></div>
      <Sent />
      <Checkbox isSelected={mine} onChange={setMine}>{t.mine}</Checkbox>
      <Reason problem={problem} />
      <div><Button kind="main" type="submit" isDisabled={!mine || !can('scan')}>{t.begin}</Button></div>
    </form>
  );
}

function Declare({ done }: { done: () => void }) {
  const t = useWords(own);
  const api = useApi();
  const say = useSay();
  const [range, setRange] = useState('');
  const [mine, setMine] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const send = (e: FormEvent) => {
    e.preventDefault();
    setProblem(undefined);
    call(api, 'POST /api/v1/scope', { body: { range, mine } }).then(() => { say(t.declared); setRange(''); setMine(false); done(); }, (x: unknown) => setProblem(problemOf(x)));
  };
  return (
    <form className="panel stack" onSubmit={send}>
      <h3>{t.declare}</h3>
      <TextField label={t.range} value={range} onChange={setRange} isRequired maxLength={100} />
      <Checkbox isSelected={mine} onChange={setMine}>{t.mine}</Checkbox>
      <Reason problem={problem} />
      <div><Button type="submit" isDisabled={!mine}>{t.declare}</Button></div>
    </form>
  );
}

function One({ id, close }: { id: string; close: () => void }) {
  const t = useWords(own);
  const s = useWords(surface);
  const scan = useRoute('GET /api/v1/scans/{id}', { path: { id } }, { on: ['scans'] });
  return (
    <Side title={t.scan} onClose={close}>
      {scan.problem?.status === 404 ? <Empty title={t.notKept}>{t.notKeptMore}</Empty> : <Loaded from={scan}>{x => <>
        {x.state === 'running' ? <Running id={id} /> : x.sentence && <p lang="en"><b>{x.sentence}</b></p>}
        <Pairs of={[[t.targets, <span className="mono">{x.targets.join(', ')}</span>], [t.state, named(t.states, x.state)], [t.when, <Time at={x.started} />], [s.until, x.ended && <Time at={x.ended} />], [t.by, x.by], [s.why, x.error && <span lang="en">{x.error}</span>]]} />
        {x.found && x.found.length > 0 ? <Table label={t.result} rows={x.found} id={f => f.address} columns={[
          { id: 'address', name: t.address, head: true, cell: f => <span className="mono">{f.address}</span> },
          { id: 'services', name: t.services, cell: f => <span lang="en">{f.services.join(', ')}</span> },
          { id: 'issues', name: t.issues, number: true, cell: f => f.issues },
          { id: 'worst', name: t.worst, cell: f => f.worst ? <Severity of={f.worst} /> : '–' },
        ]} /> : <p className="quiet">{t.nothingFound}</p>}
      </>}</Loaded>}
    </Side>
  );
}
