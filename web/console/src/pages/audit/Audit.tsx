import { useApi } from '../../api/Api';
import type { AuditObject } from '../../api/types';
import { addressOf } from '../../api/routes';
import { useAct } from '../../api/useAct';
import { useListed } from '../../api/useRoute';
import { useWords } from '../../language';
import { address, useFragment } from '../../route';
import { save } from '../../save';
import { useSession } from '../../session';
import { audit as own } from '../../words/audit';
import { common } from '../../words/common';
import { named } from '../../words/words';
import { Button } from '../../ui/Button';
import { Link } from '../../ui/Link';
import { Menu } from '../../ui/Menu';
import { Page } from '../../ui/Page';
import { Empty, Loaded, Reason } from '../../ui/State';
import { Switch } from '../../ui/Switch';
import { Table } from '../../ui/Table';
import { Time } from '../../ui/Time';
import { Filter } from './Filter';
import { queryOf } from './query';

const forms = ['json', 'dicom', 'fhir'] as const;

export default function Audit() {
  const t = useWords(own);
  const c = useWords(common);
  const api = useApi();
  const { can } = useSession();
  const { act, busy, problem } = useAct();
  const [shows, show] = useFragment();
  const query = queryOf(shows);
  const list = useListed('GET /api/v1/audit', { query });
  const give = (form: string) => void act(async () => {
    const day = new Date().toISOString().slice(0, 10);
    save(`audit-${form}-${day}.ndjson`, await api.get<Blob>(addressOf('GET /api/v1/audit/export', { query: { ...query, form } }), { blob: true }));
  }, t.exported);
  return (
    <Page title={t.title} more={t.more} actions={<>
      {can('verify') && <Link to={address('ledger')} kind="plain">{t.verify}</Link>}
      <Menu kind="plain" label={t.exportAll} button={t.exportAll} entries={busy ? [] : forms.map(f => ({ id: f, name: t.forms[f], act: () => give(f) }))} />
    </>}>
      <Switch isSelected={query.failed === 'true'} onChange={on => show('failed', on ? 'true' : undefined)}>{t.failed}</Switch>
      <Filter key={shows.toString()} query={query} />
      <Reason problem={problem} />
      <Loaded from={list}>{items => items.length === 0 && !list.more ? <Empty title={t.none}>{t.noneMore}</Empty> : <>
        {items.length === 0 ? <p className="quiet">{t.noneYet}</p> : <Table label={t.title} rows={items} id={r => r.sequence ?? r.time} columns={[
          { id: 'time', name: t.time, cell: r => <Time at={r.time} form="exact" /> },
          { id: 'event', name: t.event, head: true, cell: r => named(t.events, r.event) },
          { id: 'who', name: t.who, cell: r => r.principal ?? '–' },
          { id: 'from', name: t.from, wide: true, cell: r => <span className="mono">{r.peer?.address ?? '–'}</span> },
          { id: 'outcome', name: t.outcome, wide: true, cell: r => <>{r.outcome === 0 ? t.ok : t.bad}{r.reason && <div className="quiet small">{r.reason}</div>}{r.rule && r.outcome !== 0 && <div className="quiet small">{t.rule}: {r.rule}</div>}</> },
          { id: 'about', name: t.about, wide: true, cell: r => r.objects?.slice(0, 3).map(o => about(o, t.instances)).filter(x => x).join('; ') || '–' },
        ]} />}
        {list.more && <Button onPress={list.more} isDisabled={list.loading}>{c.more}</Button>}
      </>}</Loaded>
    </Page>
  );
}

const about = (o: AuditObject, images: (n: number) => string) =>
  [o.device, o.person, o.patient, o.study, o.query, o.detail, o.instances ? `(${images(o.instances)})` : ''].filter(x => x).join(' ');
