import { useState, type FormEvent } from 'react';
import { useApi } from '../../api/Api';
import type { Proposal, RouteDetail } from '../../api/openapi';
import { call } from '../../api/routes';
import { useAct } from '../../api/useAct';
import { useRoute } from '../../api/useRoute';
import { useWords } from '../../language';
import { gate as own } from '../../words/gate';
import { Button } from '../../ui/Button';
import { Checkbox } from '../../ui/Checkbox';
import { CopyLine } from '../../ui/CopyLine';
import { Bytes, Count } from '../../ui/Numbers';
import { Empty, Loaded, Reason } from '../../ui/State';
import { Table } from '../../ui/Table';
import { TextField } from '../../ui/TextField';
import { Time } from '../../ui/Time';

// Learn lets a route learn, and puts in force what is proposed by what went through.
export function Learn({ route, changed }: { route: RouteDetail; changed: () => void }) {
  const t = useWords(own);
  const api = useApi();
  const { act, busy, problem } = useAct();
  const [days, setDays] = useState('14');
  const path = { name: route.name };
  const proposal = useRoute('GET /api/v1/gate/routes/{name}/rules', { path }, { on: ['gate'] });
  const send = (e: FormEvent) => {
    e.preventDefault();
    void act(() => call(api, 'POST /api/v1/gate/routes/{name}/learn', { path, body: { days: Number(days) } }), t.learns(route.name)).then(changed);
  };
  return (
    <div className="stack">
      <form className="panel stack" onSubmit={send}>
        <h2>{t.learn}</h2>
        <p className="quiet">{t.learnMore}</p>
        <TextField label={t.days} value={days} onChange={setDays} inputMode="numeric" pattern="[1-9]|[1-5][0-9]|60" isRequired />
        <Reason problem={problem} />
        <div className="row"><Button type="submit" isDisabled={busy}>{t.learn}</Button></div>
      </form>
      <Loaded from={proposal}>{p => p.rules === '' ? <Empty title={t.nothing}>{t.nothingMore}</Empty> : <Proposed route={route.name} proposal={p} changed={changed} />}</Loaded>
    </div>
  );
}

function Proposed({ route, proposal: p, changed }: { route: string; proposal: Proposal; changed: () => void }) {
  const t = useWords(own);
  const api = useApi();
  const { act, busy, problem } = useAct();
  const [anyway, setAnyway] = useState(false);
  const enforce = () => void act(() => call(api, 'POST /api/v1/gate/routes/{name}/enforce', { path: { name: route }, body: { anyway } }), t.enforced(route)).then(changed);
  return (
    <>
      <section className="stack">
        <h2>{t.flows}</h2>
        <Table label={t.flows} rows={p.flows.map((f, i) => ({ ...f, i }))} id={f => f.i} columns={[
          { id: 'device', name: t.device, head: true, cell: f => <b>{f.device}</b>, by: f => f.device },
          { id: 'verb', name: t.verb, cell: f => f.verb, by: f => f.verb },
          { id: 'class', name: t.sopClass, wide: true, cell: f => f.class, by: f => f.class },
          { id: 'requests', name: t.requests, number: true, cell: f => <Count of={f.requests} />, by: f => f.requests },
          { id: 'bytes', name: t.bytes, number: true, wide: true, cell: f => <Bytes of={f.bytes} />, by: f => f.bytes },
          { id: 'last', name: t.last, wide: true, cell: f => <Time at={f.last} />, by: f => f.last },
        ]} />
        {p.gone.length > 0 && <p className="quiet">{t.gone(p.gone.join(', '))}</p>}
      </section>
      <section className="panel stack">
        <h2>{t.proposal}</h2>
        <CopyLine text={p.rules} />
        {p.refuses.length === 0 ? <p>{t.refusesNothing}</p> : <>
          <p className="reason">{t.refuses(p.refuses.length)}</p>
          <Table label={t.refuses(p.refuses.length)} rows={p.refuses.map((f, i) => ({ ...f, i }))} id={f => f.i} columns={[
            { id: 'device', name: t.device, head: true, cell: f => f.device },
            { id: 'verb', name: t.verb, cell: f => f.verb },
            { id: 'why', name: t.why, cell: f => f.reason },
            { id: 'last', name: t.last, wide: true, cell: f => <Time at={f.last} /> },
          ]} />
          <Checkbox isSelected={anyway} onChange={setAnyway}>{t.anyway}</Checkbox>
        </>}
        <Reason problem={problem} />
        <div className="row"><Button kind="main" isDisabled={busy || p.refuses.length > 0 && !anyway} onPress={enforce}>{t.enforce}</Button></div>
      </section>
    </>
  );
}
