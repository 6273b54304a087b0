import { useState } from 'react';
import { useApi } from '../../api/Api';
import type { Queued, RouteDetail } from '../../api/openapi';
import { call } from '../../api/routes';
import { useAct } from '../../api/useAct';
import { useRoute } from '../../api/useRoute';
import { useWords } from '../../language';
import { gate as own } from '../../words/gate';
import { named } from '../../words/words';
import { Button } from '../../ui/Button';
import { Checkbox } from '../../ui/Checkbox';
import { Confirm } from '../../ui/Confirm';
import { Empty, Loaded, Reason } from '../../ui/State';
import { useSay } from '../../ui/Status';
import { Table } from '../../ui/Table';
import { Time } from '../../ui/Time';

// Queue is what waits for the target of a route.
export function Queue({ route }: { route: RouteDetail }) {
  const t = useWords(own);
  const api = useApi();
  const say = useSay();
  const { act, busy, problem } = useAct();
  const [redirect, setRedirect] = useState(false);
  const [dropping, drop] = useState<Queued>();
  const path = { name: route.name };
  const list = useRoute('GET /api/v1/gate/routes/{name}/queue', { path, query: { limit: '500' } }, { on: ['gate', 'audit'], off: !route.queues });
  const retry = () => void act(async () => say(t.retried((await call(api, 'POST /api/v1/gate/routes/{name}/queue/retry', { path, body: { redirect } })).objects))).then(list.reload);
  if (!route.queues) return <Empty title={t.noQueue}>{t.noQueueMore}</Empty>;
  return (
    <div className="stack">
      <Reason problem={problem} />
      <Loaded from={list}>{({ items }) => items.length === 0 ? <Empty title={t.queueNone}>{t.queueNoneMore}</Empty> : <>
        <div className="row"><Button kind="main" isDisabled={busy} onPress={retry}>{t.retry}</Button><Checkbox isSelected={redirect} onChange={setRedirect}>{t.redirect}</Checkbox></div>
        <Table label={t.tabs.queue} rows={items} id={q => q.id} columns={[
          { id: 'instance', name: t.instance, head: true, cell: q => <span className="mono">{q.sopInstanceUID}</span> },
          { id: 'state', name: t.state, cell: q => <>{named(t.states, q.state)}{q.reason && <div className="quiet small">{q.reason}</div>}</>, by: q => q.state },
          { id: 'queued', name: t.queued, wide: true, cell: q => <Time at={q.queued} />, by: q => q.queued },
          { id: 'tries', name: t.tries, number: true, wide: true, cell: q => q.tries, by: q => q.tries },
          { id: 'due', name: t.due, wide: true, cell: q => <Time at={q.due} /> },
          { id: 'drop', name: t.drop, cell: q => <Button onPress={() => drop(q)}>{t.drop}</Button> },
        ]} />
      </>}</Loaded>
      {dropping && <Confirm title={t.dropTitle} go={t.drop} reason={t.dropWhy} done={t.dropped} close={() => { drop(undefined); list.reload(); }}
        act={reason => call(api, 'DELETE /api/v1/gate/queue/{id}', { path: { id: String(dropping.id) }, body: { reason } })}><p>{t.dropMore}</p></Confirm>}
    </div>
  );
}
