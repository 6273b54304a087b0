import { useListed } from '../../api/useRoute';
import { useWords } from '../../language';
import { address, useFragment } from '../../route';
import { common } from '../../words/common';
import { quarantine as own } from '../../words/quarantine';
import { named } from '../../words/words';
import { Button } from '../../ui/Button';
import { Bytes } from '../../ui/Numbers';
import { Page } from '../../ui/Page';
import { Empty, Loaded } from '../../ui/State';
import { Table } from '../../ui/Table';
import { Time } from '../../ui/Time';
import { Entry } from './Entry';

// Quarantine is what is held back, or one of it.
export default function Quarantine() {
  const t = useWords(own);
  const c = useWords(common);
  const [shows] = useFragment();
  const list = useListed('GET /api/v1/quarantine', { query: {} }, { on: ['quarantine'] });
  const entry = shows.get('entry');
  if (entry) return <Entry key={entry} id={entry} />;
  const all = list.data && !list.more ? list.data.length : 0;
  return (
    <Page title={t.title} sentence={all > 0 ? t.waiting(all) : undefined} more={t.more}>
      <Loaded from={list} empty={<Empty title={t.none}>{t.noneMore}</Empty>}>{items => <>
        <Table label={t.title} rows={items} id={h => h.id} to={h => address('quarantine', { entry: String(h.id) })} columns={[
          { id: 'reason', name: t.reason, head: true, cell: h => named(t.reasons, h.reason), by: h => h.reason },
          { id: 'from', name: t.from, cell: h => h.from || h.by, by: h => h.from || h.by },
          { id: 'received', name: t.received, cell: h => <Time at={h.lastReceived} />, by: h => h.lastReceived },
          { id: 'times', name: t.times, number: true, wide: true, cell: h => h.times, by: h => h.times },
          { id: 'size', name: t.size, number: true, wide: true, cell: h => <Bytes of={h.size} />, by: h => h.size },
        ]} />
        {list.more && <Button onPress={list.more} isDisabled={list.loading}>{c.more}</Button>}
      </>}</Loaded>
    </Page>
  );
}
