import { useState } from 'react';
import { CircleCheck, LoaderCircle } from 'lucide-react';
import { useListed, useRoute } from '../../api/useRoute';
import { useWords } from '../../language';
import { devices as own } from '../../words/devices';

// Waiting says when a device was let in for the first time since it stands here, and why it is refused meanwhile.
export function Waiting({ aeTitle }: { aeTitle: string }) {
  const t = useWords(own);
  const [since] = useState(() => Date.now());
  const device = useRoute('GET /api/v1/devices/{aet}', { path: { aet: aeTitle } }, { on: ['devices', 'audit'] });
  const pending = useListed('GET /api/v1/devices/pending', {}, { on: ['devices'] });
  const came = device.data?.lastSeen !== undefined && new Date(device.data.lastSeen).getTime() > since - 2000; // clocks differ
  const refused = pending.data?.find(p => p.callingAETitle === aeTitle);
  return (
    <p className="panel row" role="status">
      {came ? <><CircleCheck className="icon" aria-hidden />{t.cameIn(aeTitle)}</> : <><LoaderCircle className="icon" aria-hidden />{t.waitEcho(aeTitle)}</>}
      {!came && refused && <span className="reason">{t.refusedHere} {refused.reason}</span>}
    </p>
  );
}
