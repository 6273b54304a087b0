import { useState, type FormEvent } from 'react';
import { useApi } from '../../api/Api';
import type { Device } from '../../api/openapi';
import { call } from '../../api/routes';
import { useAct } from '../../api/useAct';
import { useWords } from '../../language';
import { common } from '../../words/common';
import { devices as own } from '../../words/devices';
import { Button } from '../../ui/Button';
import { Dialog, Ends } from '../../ui/Dialog';
import { Reason } from '../../ui/State';
import { TextField } from '../../ui/TextField';
import { Rights } from './Rights';

const day = (time: string | undefined) => time?.slice(0, 10) ?? '';

// Change changes a device: only what is another than before is sent.
export function Change({ device: d, close }: { device: Device; close: () => void }) {
  const t = useWords(own);
  const c = useWords(common);
  const api = useApi();
  const { act, busy, problem } = useAct();
  const before = { address: d.address ?? '', listen: d.listen ?? '', moveTo: d.moveTo?.join(', ') ?? '', plaintextUntil: day(d.plaintextUntil), noCertificateUntil: day(d.noCertificateUntil) };
  const [now, setNow] = useState(before);
  const [allow, setAllow] = useState(d.allow);
  const field = (name: keyof typeof before) => ({ value: now[name], onChange: (text: string) => setNow({ ...now, [name]: text }), autoComplete: 'off' });
  const other = (name: keyof typeof before) => now[name] !== before[name];

  const send = (e: FormEvent) => {
    e.preventDefault();
    void act(() => call(api, 'PATCH /api/v1/devices/{aet}', { path: { aet: d.aeTitle }, body: {
      allow, ...(other('address') && { address: now.address }), ...(other('listen') && { listen: now.listen }),
      ...(other('moveTo') && { moveTo: now.moveTo.split(',').map(x => x.trim()).filter(x => x) }),
      ...(other('plaintextUntil') && { plaintextUntil: now.plaintextUntil }), ...(other('noCertificateUntil') && { noCertificateUntil: now.noCertificateUntil }),
    } }), t.changed(d.aeTitle)).then(ok => { if (ok) close(); });
  };
  return (
    <Dialog title={`${t.change}: ${d.aeTitle}`} onClose={close}>
      <form onSubmit={send}>
        <Rights allow={allow} change={setAllow} />
        <TextField label={t.anyAddress} {...field('address')} />
        <TextField label={t.listen} help={t.listenMore} {...field('listen')} />
        <TextField label={t.moveTo} help={t.moveToMore} {...field('moveTo')} />
        {before.plaintextUntil && <TextField label={t.exception} {...field('plaintextUntil')} />}
        {before.noCertificateUntil && <TextField label={t.exceptionCert} {...field('noCertificateUntil')} />}
        <Reason problem={problem} />
        <Ends><Button onPress={close}>{c.cancel}</Button><Button kind="main" type="submit" isDisabled={busy}>{c.save}</Button></Ends>
      </form>
    </Dialog>
  );
}
