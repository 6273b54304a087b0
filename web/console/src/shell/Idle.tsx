import { useEffect, useRef, useState, type RefObject } from 'react';
import type { Client } from '../api/client';
import type { Session } from '../api/types';
import { useWords } from '../language';
import { leave, onActive, tellActive } from '../leave';
import { signin } from '../words/signin';
import { Button } from '../ui/Button';
import { Dialog, Ends } from '../ui/Dialog';

// In milliseconds: how long before the end somebody is warned, how often it is looked, and how long the server
// may not have heard of somebody who is here. It knows of a session to the minute.
const warning = 60_000;
const looking = 1_000;
const telling = 60_000;

type End = { why: 'idle' | 'expires'; seconds: number };

// Idle ends the session of somebody who has gone: it warns, then takes everything away and signs out. Who is here
// is known by what is done in any tab of this server, not by what pages ask for themselves.
export function Idle({ session, seen, client, signOut }: { session: Session; seen: RefObject<number>; client: Client; signOut: () => void }) {
  const t = useWords(signin);
  const [end, setEnd] = useState<End>();
  const last = useRef(Date.now());
  const warned = useRef(false);

  // The end is taken a little early, so that it is not the server that comes first.
  const idle = session.idleSeconds * 1000 - Math.min(telling, session.idleSeconds * 250);
  const expires = new Date(session.expires).getTime();
  const early = Math.min(warning, idle / 2);

  useEffect(() => {
    let told = 0;
    const here = () => {
      if (warned.current) return; // then it is asked
      const now = Date.now();
      last.current = now;
      if (now - told > 10_000) { told = now; tellActive(); }
      if (now - seen.current > telling) { seen.current = now; client.get('/session').catch(() => {}); }
    };
    const elsewhere = () => { last.current = Date.now(); };
    const look = () => {
      const now = Date.now();
      const left = { idle: last.current + idle - now, expires: expires - now };
      const why = left.expires < left.idle ? 'expires' : 'idle';
      if (left[why] <= 0) {
        clearInterval(timer);
        client.del('/session', { plain: true }).catch(() => {}).finally(() => leave('idle'));
        return;
      }
      warned.current = left[why] <= early && !(why === 'expires' && stayed.current);
      setEnd(warned.current ? { why, seconds: Math.ceil(left[why] / 1000) } : undefined);
    };

    const events = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart'] as const;
    for (const e of events) addEventListener(e, here, { passive: true, capture: true });
    const forget = onActive(elsewhere);
    const timer = setInterval(look, looking);
    return () => {
      for (const e of events) removeEventListener(e, here, { capture: true });
      forget();
      clearInterval(timer);
    };
  }, [client, seen, idle, expires, early]);

  const stayed = useRef(false); // the end that nothing puts off was read
  const stay = () => {
    if (end?.why === 'expires') stayed.current = true;
    last.current = Date.now();
    warned.current = false;
    setEnd(undefined);
    tellActive();
    client.get('/session').catch(() => {});
  };

  if (!end) return null;
  return (
    <Dialog title={t.soon} alert onClose={stay}>
      <p>{end.why === 'idle' ? t.idle(end.seconds) : t.expires(end.seconds)}</p>
      <Ends>
        <Button onPress={signOut}>{t.out}</Button>
        <Button kind="main" autoFocus onPress={stay}>{t.stay}</Button>
      </Ends>
    </Dialog>
  );
}
