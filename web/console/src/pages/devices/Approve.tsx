import { useState, type FormEvent } from 'react';
import { useApi } from '../../api/Api';
import { problemOf, type Problem } from '../../api/problem';
import { call } from '../../api/routes';
import type { Pending } from '../../api/types';
import { useWords } from '../../language';
import { common } from '../../words/common';
import { devices as own } from '../../words/devices';
import { Button } from '../../ui/Button';
import { Checkbox } from '../../ui/Checkbox';
import { CopyLine } from '../../ui/CopyLine';
import { Dialog, Ends } from '../../ui/Dialog';
import { Reason } from '../../ui/State';
import { useSay } from '../../ui/Status';
import { TextField } from '../../ui/TextField';
import { Rights } from './Rights';

// Approve lets a caller in that was refused: with what it may do, and after its fingerprint was compared. Who came
// without a certificate is let in until a day.
export function Approve({ caller, close, done }: { caller: Pending; close: () => void; done: () => void }) {
  const t = useWords(own);
  const c = useWords(common);
  const api = useApi();
  const say = useSay();
  const [allow, setAllow] = useState<readonly string[]>(['echo', 'store']);
  const [compared, setCompared] = useState(false);
  const [until, setUntil] = useState('');
  const [problem, setProblem] = useState<Problem>();
  const [busy, setBusy] = useState(false);

  const send = async (e: FormEvent) => {
    e.preventDefault();
    setBusy(true);
    setProblem(undefined);
    const how = caller.fingerprint ? { fingerprint: caller.fingerprint } : { plaintextUntil: until };
    try {
      await call(api, 'POST /api/v1/devices/pending/{id}/approve', { path: { id: String(caller.id) }, body: { allow: [...allow], ...how } });
      say(t.approved(caller.callingAETitle));
      done();
    } catch (x) {
      setProblem(problemOf(x));
      setBusy(false);
    }
  };

  return (
    <Dialog title={t.approveTitle(caller.callingAETitle)} onClose={close}>
      <form onSubmit={e => void send(e)}>
        <p className="mono">{caller.address} → {caller.calledAETitle}</p>
        {caller.fingerprint
          ? <><span className="label">{t.fingerprint}</span><CopyLine text={caller.fingerprint} /><Checkbox isSelected={compared} onChange={setCompared}>{t.compared}</Checkbox></>
          : <><p>{t.noTLS}</p><TextField label={t.lastDay} value={until} onChange={setUntil} isRequired pattern="[0-9]{4}-[0-9]{2}-[0-9]{2}" /></>}
        <Rights allow={allow} change={setAllow} />
        <Reason problem={problem} />
        <Ends>
          <Button onPress={close}>{c.cancel}</Button>
          <Button kind="main" type="submit" isDisabled={busy || (caller.fingerprint !== undefined && !compared)}>{t.approve}</Button>
        </Ends>
      </form>
    </Dialog>
  );
}
