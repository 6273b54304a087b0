import { useEffect, useRef, useState } from 'react';
import { apiRoot } from '../../api/client';
import { useLanguage, useWords } from '../../language';
import { ledger as own } from '../../words/ledger';
import { Button } from '../../ui/Button';
import { Progress } from '../../ui/Progress';
import { Table } from '../../ui/Table';

interface Verified { leaves: number; checkpoints: number; problems: { where: string; what: string }[] }

type State = { is: 'idle' | 'failed' | 'busy' } | { is: 'running'; leaves: number } | { is: 'done'; came: Verified };

// Verification runs one while somebody looks, and says how far it is and what came of it.
export function Verification({ total }: { total: number | undefined }) {
  const t = useWords(own);
  const { locale } = useLanguage();
  const [state, setState] = useState<State>({ is: 'idle' });
  const stream = useRef<EventSource | undefined>(undefined);
  const stop = () => { stream.current?.close(); stream.current = undefined; };
  useEffect(() => stop, []);

  const run = () => {
    stop();
    const source = stream.current = new EventSource(`${apiRoot}/ledger/verification`);
    const end = (next: State) => { if (stream.current === source) { stop(); setState(next); } };
    setState({ is: 'running', leaves: 0 });
    source.addEventListener('progress', e => setState({ is: 'running', leaves: Number(e.data) }));
    source.addEventListener('done', e => end({ is: 'done', came: JSON.parse(e.data as string) as Verified }));
    source.addEventListener('failed', () => end({ is: 'failed' }));
    source.addEventListener('error', () => end({ is: 'busy' })); // it would ask again by itself
  };
  const count = new Intl.NumberFormat(locale);
  return (
    <section className="panel stack">
      <div className="row"><h2>{t.verification}</h2>{state.is === 'running'
        ? <Button onPress={() => { stop(); setState({ is: 'idle' }); }}>{t.stop}</Button>
        : <Button kind="main" onPress={run}>{t.run}</Button>}</div>
      <p className="quiet">{t.verificationMore}</p>
      {state.is === 'running' && <Progress label={t.running} done={state.leaves} of={Math.max(total ?? 0, state.leaves)} />}
      <div role="status" className="stack">
        {state.is === 'failed' && <p className="reason">{t.failed}</p>}
        {state.is === 'busy' && <p className="reason">{t.busy}</p>}
        {state.is === 'done' && (state.came.problems.length === 0
          ? <p><b>{t.fine(count.format(state.came.leaves))}</b>{state.came.checkpoints > 0 && `, ${t.witnesses(state.came.checkpoints)}`}.</p>
          : <p className="reason"><b>{t.problems(state.came.problems.length)}.</b> {t.problemsMore}</p>)}
      </div>
      {state.is === 'done' && state.came.problems.length > 0 && <Table label={t.verification} rows={state.came.problems.map((p, i) => ({ ...p, i }))} id={p => p.i} columns={[
        { id: 'where', name: t.where, head: true, cell: p => <span className="mono">{p.where}</span> },
        { id: 'what', name: t.what, cell: p => p.what },
      ]} />}
    </section>
  );
}
