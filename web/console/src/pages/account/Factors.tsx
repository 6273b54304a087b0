import { useState, type FormEvent } from 'react';
import { useApi } from '../../api/Api';
import type { Factors as Of, TOTPSecret } from '../../api/openapi';
import { call } from '../../api/routes';
import { useAct } from '../../api/useAct';
import { useWords } from '../../language';
import { account as own } from '../../words/account';
import { common } from '../../words/common';
import { Button } from '../../ui/Button';
import { CopyLine } from '../../ui/CopyLine';
import { Dialog, Ends } from '../../ui/Dialog';
import { QR } from '../../ui/QR';
import { Reason } from '../../ui/State';
import { TextField } from '../../ui/TextField';
import { Codes } from './Codes';

// Factors are the app and the recovery codes; passkeys stand beside.
export function Factors({ factors, changed }: { factors: Of; changed: () => void }) {
  const t = useWords(own);
  const api = useApi();
  const { act, busy, problem } = useAct();
  const [secret, setSecret] = useState<TOTPSecret>();
  const [codes, setCodes] = useState<string[]>();
  const begin = () => void act(async () => setSecret(await call(api, 'POST /api/v1/session/enrol/totp')));
  const remove = () => void act(() => call(api, 'DELETE /api/v1/totp'), t.appRemoved).then(changed);
  const renew = () => void act(async () => setCodes((await call(api, 'POST /api/v1/recovery-codes')).recoveryCodes)).then(changed);
  const made = (fresh: string[] | undefined) => { setSecret(undefined); if (fresh?.length) setCodes(fresh); changed(); };
  return (
    <section className="panel stack">
      <h2>{t.factors}</h2>
      <Reason problem={problem} />
      <div className="row">
        <span>{factors.totp ? t.appOn : t.appOff}</span>
        <Button isDisabled={busy} onPress={begin}>{factors.totp ? t.newApp : t.addApp}</Button>
        {factors.totp && <Button isDisabled={busy} onPress={remove}>{t.removeApp}</Button>}
      </div>
      <div className="row"><span>{t.codesLeft(factors.recoveryCodes)}</span><Button isDisabled={busy} onPress={renew}>{t.newCodes}</Button><span className="quiet small">{t.newCodesMore}</span></div>
      {secret && <App secret={secret} close={() => setSecret(undefined)} made={made} />}
      {codes && <Codes codes={codes} close={() => setCodes(undefined)} />}
    </section>
  );
}

function App({ secret, close, made }: { secret: TOTPSecret; close: () => void; made: (codes: string[] | undefined) => void }) {
  const t = useWords(own);
  const c = useWords(common);
  const api = useApi();
  const { act, busy, problem } = useAct();
  const [code, setCode] = useState('');
  const send = (e: FormEvent) => {
    e.preventDefault();
    void act(async () => made((await call(api, 'POST /api/v1/session/enrol/totp/confirm', { body: { code: code.replaceAll(' ', '') } })).recoveryCodes), t.appMade);
  };
  return (
    <Dialog title={t.app} onClose={close}>
      <form onSubmit={send}>
        <p>{t.scan}</p>
        <QR text={secret.uri} />
        <CopyLine text={secret.secret} />
        <TextField label={t.code} value={code} onChange={setCode} isRequired inputMode="numeric" autoComplete="one-time-code" maxLength={16} autoFocus />
        <Reason problem={problem} />
        <Ends><Button onPress={close}>{c.cancel}</Button><Button kind="main" type="submit" isDisabled={busy}>{t.confirm}</Button></Ends>
      </form>
    </Dialog>
  );
}
