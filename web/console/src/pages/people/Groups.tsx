import { useState, type FormEvent } from 'react';
import { useApi } from '../../api/Api';
import { call } from '../../api/routes';
import { useAct } from '../../api/useAct';
import { useListed } from '../../api/useRoute';
import { useWords } from '../../language';
import { people as own } from '../../words/people';
import { Button } from '../../ui/Button';
import { Empty, Loaded, Reason } from '../../ui/State';
import { Table } from '../../ui/Table';
import { TextField } from '../../ui/TextField';

// Groups are those of the identity provider with the studies that they see.
export function Groups() {
  const t = useWords(own);
  const api = useApi();
  const { act, busy, problem } = useAct();
  const list = useListed('GET /api/v1/groups', {}, { on: ['people'] });
  const [group, setGroup] = useState('');
  const [study, setStudy] = useState('');
  const grant = (e: FormEvent) => {
    e.preventDefault();
    void act(() => call(api, 'POST /api/v1/groups/studies', { body: { group, study } }), t.granted).then(ok => { if (ok) { setStudy(''); list.reload(); } });
  };
  const take = (from: string, of: string) => void act(() => call(api, 'POST /api/v1/groups/ungrant', { body: { group: from, study: of } }), t.taken).then(list.reload);
  return (
    <div className="stack">
      <p className="quiet">{t.groupsMore}</p>
      <Loaded from={list} empty={<Empty title={t.noGroups}>{t.noGroupsMore}</Empty>}>{items =>
        <Table label={t.groups} rows={items.flatMap(g => g.studies.map(s => ({ group: g.group, study: s, people: g.people ?? [] })))} id={g => `${g.group} ${g.study}`} columns={[
          { id: 'group', name: t.group, head: true, cell: g => <b>{g.group}</b>, by: g => g.group },
          { id: 'study', name: t.studies, cell: g => <span className="mono">{g.study}</span> },
          { id: 'people', name: t.members, wide: true, cell: g => g.people.join(', ') || '–' },
          { id: 'take', name: t.take, cell: g => <Button isDisabled={busy} onPress={() => take(g.group, g.study)}>{t.take}</Button> },
        ]} />
      }</Loaded>
      <form className="panel stack" onSubmit={grant}>
        <h2>{t.grantGroup}</h2>
        <TextField label={t.group} value={group} onChange={setGroup} isRequired maxLength={256} />
        <TextField label={t.study} value={study} onChange={setStudy} isRequired maxLength={128} />
        <Reason problem={problem} />
        <div className="row"><Button kind="main" type="submit" isDisabled={busy}>{t.grant}</Button></div>
      </form>
    </div>
  );
}
