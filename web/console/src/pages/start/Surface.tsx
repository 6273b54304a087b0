import { lazy, Suspense, useState, type ReactNode } from 'react';
import type { InventoryIssue } from '../../api/openapi';
import { useRoute } from '../../api/useRoute';
import { useLanguage, useWords } from '../../language';
import { address } from '../../route';
import { useSession } from '../../session';
import { start } from '../../words/start';
import { Button } from '../../ui/Button';
import { Link } from '../../ui/Link';
import { Counted, Counts, Page } from '../../ui/Page';
import { Progress } from '../../ui/Progress';
import { Severity, severities } from '../../ui/Severity';
import { Loaded } from '../../ui/State';
import { Table } from '../../ui/Table';
import { where } from '../surface/where';
import { DeviceCounts } from './DeviceCounts';
import { useFirst } from './useFirst';

// Only who looks at an issue loads what shows it.
const IssueSide = lazy(() => import('../surface/IssueSide').then(m => ({ default: m.IssueSide })));

// Surface is the state of the network in one sentence with its number, and the worst issues with their fix.
export function Surface({ children }: { children: ReactNode }) {
  useFirst();
  const t = useWords(start);
  const { locale } = useLanguage();
  const { can } = useSession();
  const issues = useRoute('GET /api/v1/issues', { query: { state: 'open', limit: '500' } }, { on: ['surface'] });
  const scans = useRoute('GET /api/v1/scans', {}, { on: ['scans'] });
  const [open, look] = useState<{ id: string; accepting: boolean }>();
  const last = scans.data?.items.find(s => s.state === 'done');
  const running = scans.data?.items.find(s => s.state === 'running');
  const [sentence, more] = issues.data && scans.data ? said(t, issues.data.items, last && new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(last.ended ?? last.started))) : [];

  return (
    <Page title={t.title} sentence={sentence} more={more}>
      <Loaded from={issues}>{({ items }) => <>
        <Counts>{severities.filter(s => s !== 'info').map(s => <Counted key={s} label={<Severity of={s} />} of={items.filter(i => i.severity === s).length} to={address('surface', { severity: s })} />)}</Counts>
        {running && <div className="panel"><Progress label={`${t.running}: ${running.targets.join(', ')}`} done={running.looked} of={running.addresses} /></div>}
        {can('devices') && <DeviceCounts />}
        {items.length > 0 && <section className="stack">
          <div className="row"><h2>{t.worst}</h2><Link to={address('surface')}>{t.toIssues}</Link></div>
          <Table label={t.worst} rows={items.slice(0, 5)} id={i => i.id} columns={[
            { id: 'severity', name: t.severity, cell: i => <Severity of={i.severity} /> },
            { id: 'issue', name: t.issue, head: true, cell: i => <><span lang="en">{i.title}</span><div className="quiet small mono">{where(i.place)}</div></> },
            { id: 'fix', name: t.fix, wide: true, cell: i => <span lang="en">{i.fix.do}</span> },
            { id: 'do', name: t.act, cell: i => <div className="doing"><Button label={t.showFixOf(i.title)} onPress={() => look({ id: i.id, accepting: false })}>{t.showFix}</Button>{can('configure') && <Button kind="bare" label={t.acceptOf(i.title)} onPress={() => look({ id: i.id, accepting: true })}>{t.accept}</Button>}</div> },
          ]} />
        </section>}
      </>}</Loaded>
      {children}
      {open && <Suspense><IssueSide id={open.id} accepting={open.accepting} close={() => look(undefined)} /></Suspense>}
    </Page>
  );
}

// said is the sentence, and what stands below it. when is that of the last scan.
function said(t: (typeof start)['en'], open: InventoryIssue[], when: string | undefined): [string, string?] {
  const critical = open.filter(i => i.severity === 'critical').length;
  if (critical > 0) return [t.unprotected(critical), t.fixFirst];
  if (open.length > 0) return [t.open(open.length)];
  return when !== undefined ? [t.fine, t.fineMore(when)] : [t.unscanned, t.unscannedMore];
}
