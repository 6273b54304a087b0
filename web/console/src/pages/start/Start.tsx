import { useEffect } from 'react';
import type { InventoryIssue } from '../../api/openapi';
import { useRoute } from '../../api/useRoute';
import { useStored } from '../../api/useStored';
import { useLanguage, useWords } from '../../language';
import { address, navigate, useFragment } from '../../route';
import { useSession } from '../../session';
import { start } from '../../words/start';
import { named } from '../../words/words';
import { Link } from '../../ui/Link';
import { Counted, Counts, Page } from '../../ui/Page';
import { Progress } from '../../ui/Progress';
import { Severity, severities } from '../../ui/Severity';
import { Empty, Loaded } from '../../ui/State';
import { Table } from '../../ui/Table';
import { Time } from '../../ui/Time';
import { where } from '../issues/where';

// Start says in one sentence how things stand, then the numbers, then what to do first: of what the role sees.
export default function Start() {
  const t = useWords(start);
  const { can } = useSession();
  if (!can('surface') && !can('devices')) return <Page title={t.title}><Empty title={t.quiet}>{t.quietMore}</Empty></Page>;
  return can('surface') ? <Surface /> : <Page title={t.title}><Devices /></Page>;
}

// useFirst leads whoever administrates an archive in which nothing is to the first steps, unless they want to do
// them later.
function useFirst() {
  const { can } = useSession();
  const [shows] = useFragment();
  const off = !can('configure') || shows.get('first') === 'later';
  const devices = useRoute('GET /api/v1/devices', {}, { off });
  const assets = useRoute('GET /api/v1/assets', { query: { limit: '2' } }, { off });
  const bare = devices.data?.items.length === 0 && assets.data?.items.every(a => a.sources.every(s => s.source === 'self')); // of itself it always knows
  const stored = useStored(off || !bare);
  const lead = bare && stored === false;
  useEffect(() => { if (lead) navigate(address('first'), { replace: true }); }, [lead]);
}

function Surface() {
  useFirst();
  const t = useWords(start);
  const { locale } = useLanguage();
  const { can } = useSession();
  const issues = useRoute('GET /api/v1/issues', { query: { state: 'open', limit: '500' } }, { on: ['surface'] });
  const scans = useRoute('GET /api/v1/scans', {}, { on: ['scans'] });
  const open = issues.data?.items;
  const last = scans.data?.items.find(s => s.state === 'done');
  const running = scans.data?.items.find(s => s.state === 'running');
  const critical = open?.filter(i => i.severity === 'critical').length ?? 0;

  let sentence: string | undefined;
  let more: string | undefined;
  if (open && scans.data) {
    if (critical > 0) [sentence, more] = [t.unprotected(critical), t.fixFirst];
    else if (open.length > 0) sentence = t.open(open.length);
    else if (last) [sentence, more] = [t.fine, t.fineMore(new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(last.ended ?? last.started)))];
    else [sentence, more] = [t.unscanned, t.unscannedMore];
  }

  return (
    <Page title={t.title} sentence={sentence} more={more}>
      <Loaded from={issues}>{({ items }) => <>
        <Counts>{severities.filter(s => s !== 'info').map(s => <Counted key={s} label={<Severity of={s} />} of={count(items, s)} to={address('issues', { severity: s })} />)}</Counts>
        {running && <div className="panel"><Progress label={`${t.running}: ${running.targets.join(', ')}`} done={running.looked} of={running.addresses} /></div>}
        {can('devices') && <Devices />}
        {items.length > 0 && <section className="stack">
          <div className="row"><h2>{t.worst}</h2><Link to={address('issues')}>{t.toIssues}</Link></div>
          <Table label={t.worst} rows={items.slice(0, 5)} id={i => i.id} to={i => address('issues', { issue: i.id })} columns={[
            { id: 'severity', name: t.severity, cell: i => <Severity of={i.severity} /> },
            { id: 'issue', name: t.issue, head: true, cell: i => i.title },
            { id: 'place', name: t.place, cell: i => <span className="mono">{where(i.place)}</span> },
            { id: 'fix', name: t.fix, wide: true, cell: i => i.fix.do },
          ]} />
        </section>}
      </>}</Loaded>
      <Loaded from={scans}>{({ items }) => items.length === 0 ? null : <section className="stack">
        <h2>{t.scans}</h2>
        <Table label={t.scans} rows={items.slice(0, 5)} id={s => s.id} columns={[
          { id: 'when', name: t.when, cell: s => <Time at={s.started} /> },
          { id: 'targets', name: t.targets, head: true, cell: s => s.targets.join(', ') },
          { id: 'state', name: t.state, cell: s => named(t.states, s.state) },
          { id: 'hosts', name: t.hosts, number: true, cell: s => s.hosts },
        ]} />
      </section>}</Loaded>
    </Page>
  );
}

const count = (issues: InventoryIssue[], of: string) => issues.filter(i => i.severity === of).length;

function Devices() {
  const t = useWords(start);
  const known = useRoute('GET /api/v1/devices', {}, { on: ['devices'] });
  const pending = useRoute('GET /api/v1/devices/pending', {}, { on: ['devices'] });
  return <Loaded from={pending}>{({ items }) =>
    <Counts>
      <Counted label={t.waiting} of={items.length} to={address('devices')} />
      <Counted label={t.devices} of={known.data?.items.length} to={address('devices')} />
    </Counts>
  }</Loaded>;
}
