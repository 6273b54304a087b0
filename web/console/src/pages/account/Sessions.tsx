import { useState } from 'react';
import { useApi } from '../../api/Api';
import { call } from '../../api/routes';
import { useAct } from '../../api/useAct';
import { useRoute } from '../../api/useRoute';
import { useWords } from '../../language';
import { leave } from '../../leave';
import { useSession } from '../../session';
import { account as own } from '../../words/account';
import { named } from '../../words/words';
import { Button } from '../../ui/Button';
import { Tag } from '../../ui/Chips';
import { Confirm } from '../../ui/Confirm';
import { Loaded, Reason } from '../../ui/State';
import { Table } from '../../ui/Table';
import { Time } from '../../ui/Time';

export function Sessions() {
  const t = useWords(own);
  const api = useApi();
  const { session } = useSession();
  const list = useRoute('GET /api/v1/sessions');
  const { act, busy, problem } = useAct();
  const [sure, setSure] = useState(false);
  const end = (id: string) => void act(() => call(api, 'DELETE /api/v1/sessions/{id}', { path: { id } }), t.ended).then(list.reload);
  return (
    <section className="stack">
      <div className="row"><h2>{t.sessions}</h2><Button kind="danger" onPress={() => setSure(true)}>{t.endAll}</Button></div>
      <Reason problem={problem} />
      <Loaded from={list}>{items => <Table label={t.sessions} rows={items} id={s => s.id} columns={[
        { id: 'begun', name: t.begun, head: true, cell: s => <><Time at={s.created} /> {s.id === session.session && <Tag>{t.here}</Tag>}</> },
        { id: 'seen', name: t.seen, wide: true, cell: s => <Time at={s.seen} /> },
        { id: 'address', name: t.address, cell: s => <span className="mono">{s.address}</span> },
        { id: 'method', name: t.method, wide: true, cell: s => named(t.methods, s.method) },
        { id: 'end', name: t.end, cell: s => s.id === session.session ? '' : <Button isDisabled={busy} onPress={() => end(s.id)}>{t.end}</Button> },
      ]} />}</Loaded>
      {sure && <Confirm title={t.endAll} go={t.endAll} done="" close={() => setSure(false)} act={async () => { await api.del('/sessions'); leave('out'); }}><p>{t.endAllMore}</p></Confirm>}
    </section>
  );
}
