import { useState, type FormEvent } from 'react';
import { useApi } from '../../api/Api';
import { call } from '../../api/routes';
import { useAct } from '../../api/useAct';
import { useRoute } from '../../api/useRoute';
import { useWords } from '../../language';
import { account as own } from '../../words/account';
import { common } from '../../words/common';
import { Button } from '../../ui/Button';
import { Tag } from '../../ui/Chips';
import { Dialog, Ends } from '../../ui/Dialog';
import { Empty, Loaded, Reason } from '../../ui/State';
import { Table } from '../../ui/Table';
import { TextField } from '../../ui/TextField';
import { Time } from '../../ui/Time';
import { Codes } from './Codes';

const known = () => typeof PublicKeyCredential !== 'undefined' && 'parseCreationOptionsFromJSON' in PublicKeyCredential;

export function Passkeys({ changed }: { changed: () => void }) {
  const t = useWords(own);
  const api = useApi();
  const list = useRoute('GET /api/v1/passkeys');
  const { act, busy, problem } = useAct();
  const [adding, add] = useState(false);
  const [codes, setCodes] = useState<string[]>();
  const all = () => { list.reload(); changed(); };
  const remove = (id: string) => void act(() => call(api, 'DELETE /api/v1/passkeys/{id}', { path: { id } }), t.removed).then(all);
  const button = known() ? <Button onPress={() => add(true)}>{t.addPasskey}</Button> : <span className="quiet">{t.noBrowser}</span>;
  return (
    <section className="stack">
      <div className="row"><h2>{t.passkeys}</h2>{list.data && list.data.length > 0 && button}</div>
      <Reason problem={problem} />
      <Loaded from={list} empty={<Empty title={t.noPasskeys} next={button}>{t.noPasskeysMore}</Empty>}>{items => <Table label={t.passkeys} rows={items} id={p => p.id} columns={[
        { id: 'name', name: t.name, head: true, cell: p => <>{p.name} {p.copied && <Tag>{t.copied}</Tag>}</> },
        { id: 'host', name: t.host, wide: true, cell: p => p.host },
        { id: 'used', name: t.used, cell: p => <Time at={p.used} /> },
        { id: 'end', name: t.remove, cell: p => <Button isDisabled={busy} onPress={() => remove(p.id)}>{t.remove}</Button> },
      ]} />}</Loaded>
      {adding && <Add close={() => add(false)} made={fresh => { add(false); if (fresh?.length) setCodes(fresh); all(); }} />}
      {codes && <Codes codes={codes} close={() => setCodes(undefined)} />}
    </section>
  );
}

function Add({ close, made }: { close: () => void; made: (codes: string[] | undefined) => void }) {
  const t = useWords(own);
  const c = useWords(common);
  const api = useApi();
  const { act, busy, problem } = useAct();
  const [name, setName] = useState('');
  const [failed, setFailed] = useState(false);
  const send = (e: FormEvent) => {
    e.preventDefault();
    setFailed(false);
    void act(async () => {
      const { publicKey } = await call(api, 'POST /api/v1/session/enrol/passkey/begin') as { publicKey: PublicKeyCredentialCreationOptionsJSON };
      let credential: Credential | null = null;
      try {
        credential = await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey) });
      } catch { /* said below: the person, or the device, would not */ }
      if (!credential) { setFailed(true); return; }
      made((await call(api, 'POST /api/v1/session/enrol/passkey/finish', { body: { name, credential: (credential as PublicKeyCredential).toJSON() } })).recoveryCodes);
    });
  };
  return (
    <Dialog title={t.addPasskey} onClose={close}>
      <form onSubmit={send}>
        <TextField label={t.passkeyName} help={t.passkeyNameMore} value={name} onChange={setName} isRequired maxLength={64} autoFocus autoComplete="off" />
        {failed && <p className="reason" role="alert">{t.passkeyFailed}</p>}
        <Reason problem={problem} />
        <Ends><Button onPress={close}>{c.cancel}</Button><Button kind="main" type="submit" isDisabled={busy}>{t.addPasskey}</Button></Ends>
      </form>
    </Dialog>
  );
}
