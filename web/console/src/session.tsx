import { createContext, useContext, useEffect, useMemo, useRef, useState, type ReactNode } from 'react';
import { ApiProvider } from './api/Api';
import { EventsProvider } from './api/Events';
import { newClient, type Client } from './api/client';
import type { Session, Verb } from './api/types';
import type { Ways } from './api/problem';
import { Failed, Loading } from './ui/State';
import { problemOf, type Problem } from './api/problem';
import { leave, signedInAs } from './leave';
import { Proof } from './shell/Proof';
import { Idle } from './shell/Idle';

interface Signed {
  session: Session;
  can: (verb: Verb) => boolean;
  signOut: () => void;
}

const Context = createContext<Signed | null>(null);

export function useSession(): Signed {
  const value = useContext(Context);
  if (!value) throw new Error('console: nobody is signed in around this');
  return value;
}

interface Asked { ways: Ways; answer: (shown: boolean) => void }

// SessionProvider knows who is signed in, and is where the client turns to when a session is over or wants a
// second factor again. What several requests want at once is asked for once.
export function SessionProvider({ children }: { children: ReactNode }) {
  const [session, setSession] = useState<Session>();
  const [problem, setProblem] = useState<Problem>();
  const [asked, setAsked] = useState<Asked>();
  const pending = useRef<Promise<boolean> | undefined>(undefined);
  const seen = useRef(Date.now());

  const client = useMemo<Client>(() => newClient({
    over: () => leave('over'),
    asked: () => { seen.current = Date.now(); },
    prove: ways => pending.current ??= new Promise<boolean>(resolve => {
      setAsked({ ways, answer: shown => { pending.current = undefined; setAsked(undefined); resolve(shown); } });
    }),
  }), []);

  const load = () => {
    setProblem(undefined);
    client.get<Session>('/session').then(x => { signedInAs(x.name); setSession(x); }, (e: unknown) => setProblem(problemOf(e)));
  };
  useEffect(load, [client]);

  const value = useMemo<Signed | undefined>(() => session && {
    session,
    can: verb => session.can?.includes(verb) ?? false,
    signOut: () => {
      client.del<{ location?: string } | undefined>('/session', { plain: true }).then(
        x => leave('out', x?.location),
        () => leave('out'),
      );
    },
  }, [session, client]);

  if (problem && problem.status !== 401) return <Failed problem={problem} retry={load} />;
  if (!value) return <Loading />;
  return (
    <ApiProvider value={client}>
      <Context value={value}>
        <EventsProvider can={value.can}>{children}</EventsProvider>
        {asked && <Proof ways={asked.ways} answer={asked.answer} client={client} />}
        <Idle session={value.session} seen={seen} client={client} signOut={value.signOut} />
      </Context>
    </ApiProvider>
  );
}
