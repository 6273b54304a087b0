import { useEffect, useState, type FormEvent } from 'react';
import { useApi } from '../../api/Api';
import { problemOf, type Problem } from '../../api/problem';
import { call, type Gives } from '../../api/routes';
import type { Resource } from '../../api/useResource';
import { useRoute } from '../../api/useRoute';
import { useWords } from '../../language';
import { address } from '../../route';
import { first as own } from '../../words/first';
import { Button } from '../../ui/Button';
import { Checkbox } from '../../ui/Checkbox';
import { Link } from '../../ui/Link';
import { Reason } from '../../ui/State';
import { TextField } from '../../ui/TextField';
import { look } from '../scans/look';
import { Running } from '../scans/Running';
import { Sent } from '../scans/Sent';
import { Card } from './Card';

// LookAround is a first scan of a network that somebody says is theirs.
export function LookAround({ done, scans }: { done: boolean | undefined; scans: Resource<Gives<'GET /api/v1/scans'>> }) {
  const t = useWords(own);
  const api = useApi();
  const scope = useRoute('GET /api/v1/scope');
  const [text, setText] = useState<string>();
  const [mine, setMine] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const [busy, setBusy] = useState(false);
  const running = scans.data?.items.find(s => s.state === 'running');
  const failed = scans.data?.items[0]?.state === 'failed' ? scans.data.items[0] : undefined;
  const last = scans.data?.items.find(s => s.state === 'done');
  const [summary, setSummary] = useState<string>();

  useEffect(() => { // what was found in one sentence stands with the scan itself
    if (last) call(api, 'GET /api/v1/scans/{id}', { path: { id: last.id } }).then(x => setSummary(x.sentence), () => {});
  }, [api, last?.id]);

  const begin = async (e: FormEvent) => {
    e.preventDefault();
    setBusy(true);
    setProblem(undefined);
    try {
      await look(api, text ?? prefilled(scope.data), scope.data?.ranges ?? []);
      scans.reload();
      scope.reload();
    } catch (x) {
      setProblem(problemOf(x));
    }
    setBusy(false);
  };

  return (
    <Card title={t.around} done={done}>
      {last && <div className="stack">
        {summary && <p lang="en"><b>{summary}</b></p>}
        <p>{t.foundHosts(last.hosts)}</p>
        <div className="row"><Link to={address('surface')}>{t.toIssues}</Link><Link to={address('surface/systems')}>{t.toAssets}</Link></div>
      </div>}
      {running ? <Running id={running.id} /> : !last && <form className="stack" onSubmit={e => void begin(e)}>
        <p className="quiet">{t.aroundMore}</p>
        <TextField label={t.ranges} help={t.rangesMore} value={text ?? prefilled(scope.data)} onChange={setText} isRequired maxLength={500} />
        <Sent />
        <Checkbox isSelected={mine} onChange={setMine}>{t.mine}</Checkbox>
        {failed && <p className="reason" role="alert" lang="en">{failed.error}</p>}
        <Reason problem={problem} />
        <div><Button kind="main" type="submit" isDisabled={!mine || busy}>{t.begin}</Button></div>
      </form>}
    </Card>
  );
}

const prefilled = (scope: Gives<'GET /api/v1/scope'> | undefined) => scope?.own.join(' ') ?? '';
