import { useState } from 'react';
import type { InventoryAsset } from '../../api/openapi';
import { useApi } from '../../api/Api';
import { problemOf, type Problem } from '../../api/problem';
import { call } from '../../api/routes';
import { useListed } from '../../api/useRoute';
import { useWords } from '../../language';
import { surface as own } from '../../words/surface';
import { Button } from '../../ui/Button';
import { Select } from '../../ui/Select';
import { Loaded, Reason } from '../../ui/State';
import { useSay } from '../../ui/Status';
import { nameOf } from './where';

// Merge says that another system is this one too.
export function Merge({ into, done }: { into: string; done: () => void }) {
  const t = useWords(own);
  const api = useApi();
  const say = useSay();
  const list = useListed('GET /api/v1/assets', { query: { limit: '500', refused: 'true' } });
  const [from, setFrom] = useState<string>();
  const [problem, setProblem] = useState<Problem>();
  const merge = () => {
    if (from) call(api, 'POST /api/v1/assets/{id}/merge', { path: { id: into }, body: { from } }).then(() => { say(t.merged); done(); }, (e: unknown) => setProblem(problemOf(e)));
  };
  return (
    <Loaded from={list}>{items => <div className="stack narrow">
      <p className="quiet">{t.mergeMore}</p>
      <Select label={t.other} options={items.filter(a => a.id !== into).map((a: InventoryAsset) => [a.id, `${a.id} ${nameOf(a)}`] as const)} value={from} onChange={setFrom} />
      <Reason problem={problem} />
      <div><Button kind="danger" isDisabled={!from} onPress={merge}>{t.merge}</Button></div>
    </div>}</Loaded>
  );
}
