import type { AssetDetail } from '../../api/openapi';
import { useListed, useRoute } from '../../api/useRoute';
import { useWords } from '../../language';
import { address, useFragment } from '../../route';
import { useSession } from '../../session';
import { surface as own } from '../../words/surface';
import { named } from '../../words/words';
import { Tag } from '../../ui/Chips';
import { Link } from '../../ui/Link';
import { Pairs } from '../../ui/Pairs';
import { Severity } from '../../ui/Severity';
import { Empty, Loaded } from '../../ui/State';
import { Table } from '../../ui/Table';
import { Tabs } from '../../ui/Tabs';
import { Time } from '../../ui/Time';
import { Answers } from './Answers';
import { Area } from './Area';
import { ChangeTable } from './ChangeTable';
import { IssueSide } from './IssueSide';
import { Merge } from './Merge';
import { Transcript } from './Transcript';
import { nameOf, productOf, where } from './where';

const tabs = ['issues', 'advisories', 'evidence', 'history', 'merge'] as const;
type Tab = typeof tabs[number];

// System is one of the network: what it is, what is wrong with it, and what has become of it.
export default function System() {
  const t = useWords(own);
  const { can } = useSession();
  const [shows, show] = useFragment();
  const id = shows.get('id') ?? '';
  const tab = tabs.find(x => x === shows.get('tab')) ?? 'issues';
  const issue = shows.get('issue') ?? undefined;
  const asset = useRoute('GET /api/v1/assets/{id}', { path: { id } }, { on: ['surface'], off: id === '' });
  if (id === '') return <Area title={t.system}><Empty title={t.noSystem} next={<Link to={address('surface/systems')} kind="main">{t.systems}</Link>} /></Area>;
  return (
    <Area title={asset.data ? nameOf(asset.data) : t.system} more={asset.data && productOf(asset.data)}>
      <Loaded from={asset}>{a => <>
        <Known of={a} />
        <Tabs<Tab> label={t.system} selected={tab} onChange={x => show('tab', x === 'issues' ? undefined : x)} parts={[
          { id: 'issues', name: t.issuesOf(a.issues.length), content: () => <IssuesOf of={a} /> },
          { id: 'advisories', name: t.advisories, content: () => <Answers id={a.id} warning={a.warning} /> },
          { id: 'evidence', name: t.evidence, content: () => <EvidenceOf of={a} /> },
          { id: 'history', name: t.history, content: () => <History id={a.id} /> },
          ...(can('configure') ? [{ id: 'merge' as const, name: t.merge, content: () => <Merge into={a.id} done={() => { show('tab', undefined); asset.reload(); }} /> }] : []),
        ]} />
      </>}</Loaded>
      {issue && <IssueSide id={issue} close={() => show('issue', undefined)} />}
    </Area>
  );
}

function Known({ of: a }: { of: AssetDetail }) {
  const t = useWords(own);
  const list = (of: readonly (string | number)[] | undefined) => of && of.length > 0 && <span className="mono">{of.join(', ')}</span>;
  return (
    <div className="panel"><Pairs of={[
      [t.number, a.id],
      [t.address, list(a.addresses)],
      [t.hostname, a.hostname],
      [t.services, list(a.ports)],
      [t.aeTitles, list(a.aeTitles)],
      [t.implementations, list(a.implementations)],
      [t.zone, a.zone], [t.location, a.location], [t.owner, a.owner], [t.serial, a.serial], [t.note, a.note],
      [t.knownBy, <span className="row">{a.sources.map(s => <Tag key={s.source}>{named(t.sources, s.source)}</Tag>)}</span>],
      [t.seen, <><Time at={a.firstSeen} /> – <Time at={a.lastSeen} /></>],
      [t.conflicts, a.conflicts && a.conflicts.length > 0 && <span lang="en">{a.conflicts.join('; ')}</span>],
    ]} /></div>
  );
}

function IssuesOf({ of: a }: { of: AssetDetail }) {
  const t = useWords(own);
  if (a.issues.length === 0) return <Empty title={t.noneHere}>{t.noneHereMore}</Empty>;
  return <Table label={t.issues} rows={a.issues} id={i => i.id} to={i => address('surface/system', { id: a.id, issue: i.id })} columns={[
    { id: 'severity', name: t.severity, cell: i => <Severity of={i.severity} /> },
    { id: 'issue', name: t.issue, head: true, cell: i => <><span lang="en">{i.title}</span> {i.possible && <Tag>{t.possible}</Tag>}</> },
    { id: 'place', name: t.place, wide: true, cell: i => <span className="mono">{where(i.place)}</span> },
    { id: 'state', name: t.state, cell: i => named(t.states, i.state) },
    { id: 'fix', name: t.fix, wide: true, cell: i => <span lang="en">{i.fix.do}</span> },
  ]} />;
}

function EvidenceOf({ of: a }: { of: AssetDetail }) {
  const t = useWords(own);
  const shown = a.issues.filter(i => i.evidence && i.evidence.length > 0);
  if (shown.length === 0) return <Empty title={t.noEvidence}>{t.noEvidenceMore}</Empty>;
  return <div className="stack">{shown.map(i => <section key={i.id} className="stack"><h2><span className="mono">{where(i.place)}</span> <span lang="en">{i.title}</span></h2><Transcript of={i.evidence ?? []} /></section>)}</div>;
}

function History({ id }: { id: string }) {
  const t = useWords(own);
  const list = useListed('GET /api/v1/changes', { query: { asset: id, since: '2000-01-01', limit: '500' } }, { on: ['surface'] });
  return <Loaded from={list} empty={<Empty title={t.noChanges} />}>{items => <ChangeTable rows={items} more={list.more} />}</Loaded>;
}
