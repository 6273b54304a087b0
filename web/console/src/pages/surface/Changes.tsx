import { useListed } from '../../api/useRoute';
import { useWords } from '../../language';
import { useFragment } from '../../route';
import { surface as own } from '../../words/surface';
import { Empty, Loaded } from '../../ui/State';
import { TextField } from '../../ui/TextField';
import { Area } from './Area';
import { ChangeTable } from './ChangeTable';

export default function Changes() {
  const t = useWords(own);
  const [shows, show] = useFragment();
  const since = shows.get('since') ?? '';
  const list = useListed('GET /api/v1/changes', { query: { limit: '500', ...(since && { since }) } }, { on: ['surface', 'scans'] });
  return (
    <Area title={t.changesTitle} more={since ? undefined : t.lastWeek}>
      <div className="narrow"><TextField label={t.since} type="date" value={since} onChange={x => show('since', x)} /></div>
      <Loaded from={list} empty={<Empty title={t.noChanges}>{t.noChangesMore}</Empty>}>{items => <ChangeTable rows={items} more={list.more} systems />}</Loaded>
    </Area>
  );
}
