import { useRoute } from '../../api/useRoute';
import { useWords } from '../../language';
import { address } from '../../route';
import { start } from '../../words/start';
import { Counted, Counts } from '../../ui/Page';
import { Loaded } from '../../ui/State';

export function DeviceCounts() {
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
