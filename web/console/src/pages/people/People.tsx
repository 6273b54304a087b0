import { useListed } from '../../api/useRoute';
import { useWords } from '../../language';
import { people as own } from '../../words/people';
import { roles } from '../../words/roles';
import { named } from '../../words/words';
import { Page } from '../../ui/Page';
import { Empty, Loaded } from '../../ui/State';
import { Table } from '../../ui/Table';
import { Time } from '../../ui/Time';

export default function People() {
  const t = useWords(own);
  const r = useWords(roles);
  const list = useListed('GET /api/v1/people', {}, { on: ['people'] });
  return (
    <Page title={t.title}>
      <Loaded from={list} empty={<Empty title={t.none}>{t.noneMore}</Empty>}>{items =>
        <Table label={t.title} rows={items} id={p => p.name} columns={[
          { id: 'name', name: t.name, head: true, cell: p => <b>{p.name}</b>, by: p => p.name },
          { id: 'role', name: t.role, cell: p => named(r, p.role), by: p => p.role },
          { id: 'state', name: t.state, cell: p => p.disabled ? t.disabled : t.active, by: p => p.disabled ? 1 : 0 },
          { id: 'studies', name: t.studies, number: true, wide: true, cell: p => p.studies?.length ?? 0, by: p => p.studies?.length ?? 0 },
          { id: 'made', name: t.made, wide: true, cell: p => <Time at={p.created} form="day" />, by: p => p.created },
        ]} />
      }</Loaded>
    </Page>
  );
}
