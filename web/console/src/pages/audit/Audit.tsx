import type { AuditObject } from '../../api/types';
import { useListed } from '../../api/useRoute';
import { useWords } from '../../language';
import { useFragment } from '../../route';
import { audit as own } from '../../words/audit';
import { common } from '../../words/common';
import { Button } from '../../ui/Button';
import { Page } from '../../ui/Page';
import { Empty, Loaded } from '../../ui/State';
import { Switch } from '../../ui/Switch';
import { Table } from '../../ui/Table';
import { Time } from '../../ui/Time';

export default function Audit() {
  const t = useWords(own);
  const c = useWords(common);
  const [shows, show] = useFragment();
  const failed = shows.get('failed') === 'true';
  const list = useListed('GET /api/v1/audit', { query: failed ? { failed: 'true' } : {} });
  return (
    <Page title={t.title} more={t.more}>
      <Switch isSelected={failed} onChange={on => show('failed', on ? 'true' : undefined)}>{t.failed}</Switch>
      <Loaded from={list} empty={<Empty title={t.none}>{t.noneMore}</Empty>}>{items => <>
        <Table label={t.title} rows={items} id={r => r.sequence ?? r.time} columns={[
          { id: 'time', name: t.time, cell: r => <Time at={r.time} form="exact" /> },
          { id: 'event', name: t.event, head: true, cell: r => r.event },
          { id: 'who', name: t.who, cell: r => r.principal ?? '–' },
          { id: 'from', name: t.from, wide: true, cell: r => <span className="mono">{r.peer?.address ?? '–'}</span> },
          { id: 'outcome', name: t.outcome, wide: true, cell: r => <>{r.outcome === 0 ? t.ok : t.bad}{r.reason && <div className="quiet small">{r.reason}</div>}</> },
          { id: 'about', name: t.about, wide: true, cell: r => r.objects?.slice(0, 3).map(about).filter(x => x).join('; ') || '–' },
        ]} />
        {list.more && <Button onPress={list.more} isDisabled={list.loading}>{c.more}</Button>}
      </>}</Loaded>
    </Page>
  );
}

const about = (o: AuditObject) => [o.device, o.person, o.study, o.query, o.detail].filter(x => x).join(' ');
