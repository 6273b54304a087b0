import { Download } from 'lucide-react';
import { apiRoot, withQuery } from '../../api/client';
import { useRoute } from '../../api/useRoute';
import { useWords } from '../../language';
import { useFragment } from '../../route';
import { surface as own } from '../../words/surface';
import { Link } from '../../ui/Link';
import { Loaded } from '../../ui/State';
import { Counted, Counts } from '../../ui/Page';
import { TextField } from '../../ui/TextField';
import { Time } from '../../ui/Time';
import { Area } from './Area';

const formats = ['pdf', 'html', 'csv', 'sarif', 'json'] as const;

// Report is what is handed to others: as it is now, and to be taken along in every form.
export default function Report() {
  const t = useWords(own);
  const [shows, show] = useFragment();
  const since = shows.get('since') ?? '';
  const report = useRoute('GET /api/v1/report', { query: since ? { since } : {} }, { on: ['surface'] });
  return (
    <Area title={t.report} more={t.reportMore}>
      <div className="narrow"><TextField label={t.changesSince} help={t.changesSinceMore} type="date" value={since} onChange={x => show('since', x)} /></div>
      <div className="row">{formats.map(f => <Link key={f} to={withQuery(`${apiRoot}/report`, { format: f, since })} kind={f === 'pdf' ? 'main' : 'plain'} download><Download className="icon" aria-hidden />{f.toUpperCase()}</Link>)}</div>
      <p className="quiet small">{t.downloadMore}</p>
      <Loaded from={report}>{r => <section className="stack panel">
        <h2 lang="en">{r.sentence}</h2>
        <p className="quiet"><Time at={r.made} />{r.since && <> · {t.since} <Time at={r.since} form="day" /></>}</p>
        <Counts>
          <Counted label={t.issues} of={r.issues.length} />
          <Counted label={t.states.accepted} of={r.accepted.length} />
          <Counted label={t.systems} of={r.assets.length} />
          <Counted label={t.changesTitle} of={r.changes.length} />
        </Counts>
        <ul className="facts" lang="en">{r.facts.map(f => <li key={f}>{f}</li>)}</ul>
      </section>}</Loaded>
    </Area>
  );
}
