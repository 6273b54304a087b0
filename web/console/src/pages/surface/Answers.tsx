import { useState, type FormEvent } from 'react';
import type { Statement, Warning } from '../../api/openapi';
import { useApi } from '../../api/Api';
import { problemOf, type Problem } from '../../api/problem';
import { call } from '../../api/routes';
import { useRoute } from '../../api/useRoute';
import { useWords } from '../../language';
import { address } from '../../route';
import { useSession } from '../../session';
import { surface as own } from '../../words/surface';
import { common } from '../../words/common';
import { named } from '../../words/words';
import { Button } from '../../ui/Button';
import { Chips, Tag } from '../../ui/Chips';
import { Ends } from '../../ui/Dialog';
import { Empty, Loaded, Reason } from '../../ui/State';
import { Table } from '../../ui/Table';
import { TextField } from '../../ui/TextField';
import { Time } from '../../ui/Time';

// Answers are those to what the warnings ask of each system: is it affected (computed), patched, protected, behind
// a gate (said by somebody).
export function Answers({ id, warning }: { id: string; warning: Warning }) {
  const t = useWords(own);
  const of = useRoute('GET /api/v1/assets/{id}/advisories', { path: { id } }, { on: ['surface'] });
  return (
    <div className="stack">
      <dl className="answers">
        <Loaded from={of}>{x => <div><dt>{t.affected}</dt><dd><b>{named(t.answers, x.answer)}</b> {x.answer === 'not listed' && <span className="quiet">{t.notListedMore}</span>}</dd></div>}</Loaded>
        <Answer id={id} question="patched" said={warning.patched} />
        <Answer id={id} question="protected" said={warning.protected} />
        <Answer id={id} question="gate" said={warning.gate} />
      </dl>
      <Loaded from={of}>{x => x.matches.length === 0 ? <Empty title={t.noAdvisory}>{t.noAdvisoryMore}</Empty> : <Table label={t.advisories} rows={x.matches} id={m => m.issue + m.advisory} to={m => address('surface/advisories', { id: m.advisory })} columns={[
        { id: 'id', name: t.advisory, cell: m => <span className="nowrap">{m.advisory}</span> },
        { id: 'title', name: t.title, head: true, cell: m => <><span lang="en">{m.title}</span> {m.exploited && <Tag>{t.exploited}</Tag>} {m.patched && <Tag>{t.isPatched}</Tag>} {m.accepted && <Tag>{t.states.accepted}</Tag>}</> },
        { id: 'answer', name: t.affected, cell: m => named(t.answers, m.answer) },
        { id: 'versions', name: t.versions, wide: true, cell: m => m.versions },
        { id: 'fix', name: t.fix, wide: true, cell: m => <span lang="en">{m.fix ?? m.fixed ?? '–'}</span> },
      ]} />}</Loaded>
    </div>
  );
}

type Question = 'patched' | 'protected' | 'gate';

function Answer({ id, question, said }: { id: string; question: Question; said: Statement | undefined }) {
  const t = useWords(own);
  const { can } = useSession();
  const [asked, ask] = useState(false);
  return (
    <div>
      <dt>{t.questions[question]}</dt>
      <dd className="stack">
        <div className="row">
          {said ? <><b>{said.answer ? t.yes : t.no}</b> <span className="quiet">{t.saidBy(said.who)} <Time at={said.made} form="day" />{said.since && <>, {t.sinceDay} <Time at={said.since} form="day" /></>}{said.note && `: ${said.note}`}</span></> : <span className="quiet">{t.unanswered}</span>}
          {can('configure') && !asked && <Button onPress={() => ask(true)}>{said ? t.answerAnew : t.answer}</Button>}
        </div>
        {asked && <Form id={id} question={question} close={() => ask(false)} />}
      </dd>
    </div>
  );
}

function Form({ id, question, close }: { id: string; question: Question; close: () => void }) {
  const t = useWords(own);
  const c = useWords(common);
  const api = useApi();
  const [answer, setAnswer] = useState<'yes' | 'no'>('yes');
  const [since, setSince] = useState('');
  const [note, setNote] = useState('');
  const [problem, setProblem] = useState<Problem>();
  const dated = question === 'patched' && answer === 'yes';
  const send = (e: FormEvent) => {
    e.preventDefault();
    call(api, 'POST /api/v1/assets/{id}/statements', { path: { id }, body: { question, answer: answer === 'yes', ...(dated && { since }), ...(note && { note }) } }).then(close, (x: unknown) => setProblem(problemOf(x)));
  };
  return (
    <form className="stack" onSubmit={send}>
      <Chips<'yes' | 'no'> label={t.answer} always options={[['yes', t.yes], ['no', t.no]]} value={answer} onChange={x => setAnswer(x ?? 'yes')} />
      {dated && <TextField label={t.sinceWhen} type="date" value={since} onChange={setSince} isRequired />}
      <TextField label={t.note} value={note} onChange={setNote} maxLength={500} />
      <Reason problem={problem} />
      <Ends><Button onPress={close}>{c.cancel}</Button><Button kind="main" type="submit">{c.save}</Button></Ends>
    </form>
  );
}
