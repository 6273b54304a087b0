import { useState } from 'react';
import { useApi } from '../../api/Api';
import { problemOf, type Problem } from '../../api/problem';
import { addressOf, call, type Gives } from '../../api/routes';
import { useResource } from '../../api/useResource';
import { useSession } from '../../session';
import { useWords } from '../../language';
import { scans as own } from '../../words/scans';
import { Button } from '../../ui/Button';
import { Progress } from '../../ui/Progress';
import { Loaded, Reason } from '../../ui/State';

const often = 1000; // milliseconds between looks at how far a scan is

// Running is a scan that is going on, live.
export function Running({ id }: { id: string }) {
  const t = useWords(own);
  const api = useApi();
  const { can } = useSession();
  const scan = useResource<Gives<'GET /api/v1/scans/{id}'>>(addressOf('GET /api/v1/scans/{id}', { path: { id } }), { every: often });
  const [problem, setProblem] = useState<Problem>();
  return (
    <Loaded from={scan}>{s => <div className="stack">
      <Progress label={t.running(s.targets.join(', '))} done={s.looked} of={s.addresses} />
      <p>{t.soFar(s.looked, s.addresses, s.hosts)}{s.secondsLeft >= 0 && ` ${t.left(s.secondsLeft)}`}</p>
      {s.found && s.found.length > 0 && <p className="mono small">{s.found.slice(-3).map(f => f.address).join(', ')}</p>}
      <Reason problem={problem} />
      {can('scan') && <div><Button kind="danger" onPress={() => { call(api, 'DELETE /api/v1/scans/{id}', { path: { id } }).then(scan.reload, (e: unknown) => setProblem(problemOf(e))); }}>{t.stop}</Button></div>}
    </div>}</Loaded>
  );
}
