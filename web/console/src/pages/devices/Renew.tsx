import { useState, type FormEvent } from 'react';
import { useApi } from '../../api/Api';
import type { DeviceFiles } from '../../api/openapi';
import { call } from '../../api/routes';
import { useAct } from '../../api/useAct';
import { useWords } from '../../language';
import { common } from '../../words/common';
import { devices as own } from '../../words/devices';
import { once } from '../../words/once';
import { Button } from '../../ui/Button';
import { Checkbox } from '../../ui/Checkbox';
import { Dialog, Ends } from '../../ui/Dialog';
import { Reason } from '../../ui/State';
import { TextField } from '../../ui/TextField';
import { Files } from './Files';

// Renew makes a new certificate for a device, and shows its files once.
export function Renew({ aeTitle, close }: { aeTitle: string; close: () => void }) {
  const t = useWords(own);
  const c = useWords(common);
  const o = useWords(once);
  const api = useApi();
  const { act, busy, problem } = useAct();
  const [days, setDays] = useState('730');
  const [revoke, setRevoke] = useState(false);
  const [files, setFiles] = useState<DeviceFiles>();
  const send = (e: FormEvent) => {
    e.preventDefault();
    void act(async () => setFiles((await call(api, 'POST /api/v1/devices/{aet}/certificate', { path: { aet: aeTitle }, body: { days: Number(days), revoke } })).files));
  };
  return (
    <Dialog title={t.renewTitle(aeTitle)} onClose={files ? undefined : close}>
      {files ? <><Files aeTitle={aeTitle} files={files} /><Ends><Button kind="main" onPress={close}>{o.done}</Button></Ends></> : (
        <form onSubmit={send}>
          <TextField label={t.validDays} value={days} onChange={setDays} inputMode="numeric" pattern="[1-9][0-9]{0,3}" isRequired />
          <Checkbox isSelected={revoke} onChange={setRevoke}>{t.revokeOld}</Checkbox>
          <p className="quiet small">{t.renewMore}</p>
          <Reason problem={problem} />
          <Ends><Button onPress={close}>{c.cancel}</Button><Button kind="main" type="submit" isDisabled={busy}>{t.make}</Button></Ends>
        </form>
      )}
    </Dialog>
  );
}
