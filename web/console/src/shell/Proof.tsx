import { useState, type FormEvent } from 'react';
import type { Client } from '../api/client';
import { problemOf, type Problem, type Ways } from '../api/problem';
import { useWords } from '../language';
import { signin } from '../words/signin';
import { Button } from '../ui/Button';
import { Chips } from '../ui/Chips';
import { Dialog, Ends } from '../ui/Dialog';
import { Reason } from '../ui/State';
import { TextField } from '../ui/TextField';

type Way = 'totp' | 'passkey' | 'recovery' | 'password';

// Proof asks for a second factor again, in one of the ways the server named, and answers whether it was shown.
export function Proof({ ways, answer, client }: { ways: Ways; answer: (shown: boolean) => void; client: Client }) {
  const t = useWords(signin);
  const offered = (['totp', 'passkey', 'recovery', 'password'] as const).filter(w => ways[w]);
  const [way, setWay] = useState<Way | undefined>(offered[0]);
  const [text, setText] = useState('');
  const [problem, setProblem] = useState<Problem>();
  const [busy, setBusy] = useState(false);

  const show = async (e?: FormEvent) => {
    e?.preventDefault();
    setBusy(true);
    setProblem(undefined);
    try {
      await prove(client, way, text);
      answer(true);
    } catch (x) {
      setProblem(problemOf(x));
      setText('');
      setBusy(false);
    }
  };

  const names: Record<Way, string> = { totp: t.totp, passkey: t.passkey, recovery: t.recovery, password: t.password };
  return (
    <Dialog title={t.again} onClose={() => answer(false)}>
      <p className="quiet">{t.againMore}</p>
      {offered.length > 1 && <Chips label={t.way} always options={offered.map(w => [w, names[w]] as const)} value={way} onChange={w => { setWay(w); setText(''); }} />}
      {way === undefined && <p>{t.oidc}</p>}
      <form onSubmit={e => void show(e)}>
        {way !== undefined && way !== 'passkey' && (
          <TextField key={way} autoFocus isRequired label={way === 'totp' ? t.code : names[way]} value={text} onChange={setText} maxLength={way === 'password' ? 1024 : 64}
            type={way === 'password' ? 'password' : 'text'} inputMode={way === 'totp' ? 'numeric' : 'text'} autoComplete={way === 'totp' ? 'one-time-code' : way === 'password' ? 'current-password' : 'off'} />
        )}
        <Reason problem={problem} />
        <Ends>
          <Button onPress={() => answer(false)}>{t.cancel}</Button>
          {way !== undefined && <Button kind="main" type="submit" isDisabled={busy}>{way === 'passkey' ? t.usePasskey : t.go}</Button>}
        </Ends>
      </form>
    </Dialog>
  );
}

async function prove(client: Client, way: Way | undefined, text: string) {
  const plain = { plain: true };
  const code = text.replaceAll(' ', '');
  switch (way) {
    case 'totp':
    case 'recovery':
      await client.post(`/session/${way}`, { code }, plain);
      return;
    case 'password':
      await client.post('/session/password', { name: (await client.get<{ name: string }>('/session')).name, password: text }, plain);
      return;
    case 'passkey': {
      const { publicKey } = await client.post<{ publicKey: PublicKeyCredentialRequestOptionsJSON }>('/session/passkey/begin', {}, plain);
      const shown = await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey) });
      await client.post('/session/passkey/finish', (shown as PublicKeyCredential).toJSON(), plain);
    }
  }
}
