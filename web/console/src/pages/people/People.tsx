import { useState } from 'react';
import { useListed } from '../../api/useRoute';
import { useWords } from '../../language';
import { address, useFragment } from '../../route';
import { people as own } from '../../words/people';
import { roles } from '../../words/roles';
import { named } from '../../words/words';
import { Button } from '../../ui/Button';
import { Page } from '../../ui/Page';
import { Empty, Loaded } from '../../ui/State';
import { Table } from '../../ui/Table';
import { Tabs } from '../../ui/Tabs';
import { Time } from '../../ui/Time';
import { Groups } from './Groups';
import { Invite } from './Invite';
import { Links } from './Links';
import { Person } from './Person';
import { Tokens } from './Tokens';

const parts = ['people', 'links', 'groups', 'tokens'] as const;

// People is the list with what belongs to it, or one person, as the address says.
export default function People() {
  const t = useWords(own);
  const [shows, show] = useFragment();
  const [inviting, invite] = useState(false);
  const person = shows.get('person');
  if (person) return <Person key={person} name={person} />;
  const part = parts.find(p => p === shows.get('part')) ?? 'people';
  return (
    <Page title={t.title} actions={<Button kind="main" onPress={() => invite(true)}>{t.invite}</Button>}>
      <Tabs label={t.parts} selected={part} onChange={p => show('part', p === 'people' ? undefined : p)} parts={[
        { id: 'people', name: t.title, content: () => <List invite={() => invite(true)} /> },
        { id: 'links', name: t.links, content: () => <Links /> },
        { id: 'groups', name: t.groups, content: () => <Groups /> },
        { id: 'tokens', name: t.tokens, content: () => <Tokens /> },
      ]} />
      {inviting && <Invite close={() => invite(false)} />}
    </Page>
  );
}

function List({ invite }: { invite: () => void }) {
  const t = useWords(own);
  const r = useWords(roles);
  const list = useListed('GET /api/v1/people', {}, { on: ['people'] });
  return (
    <Loaded from={list} empty={<Empty title={t.none} next={<Button kind="main" onPress={invite}>{t.invite}</Button>}>{t.noneMore}</Empty>}>{items =>
      <Table label={t.title} rows={items} id={p => p.name} to={p => address('people', { person: p.name })} columns={[
        { id: 'name', name: t.name, head: true, cell: p => <b>{p.name}</b>, by: p => p.name },
        { id: 'role', name: t.role, cell: p => named(r, p.role), by: p => p.role },
        { id: 'state', name: t.state, cell: p => p.disabled ? t.disabled : t.active, by: p => p.disabled ? 1 : 0 },
        { id: 'studies', name: t.studies, number: true, wide: true, cell: p => p.studies?.length ?? 0, by: p => p.studies?.length ?? 0 },
        { id: 'made', name: t.made, wide: true, cell: p => <Time at={p.created} form="day" />, by: p => p.created },
      ]} />
    }</Loaded>
  );
}
