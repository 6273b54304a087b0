import { createContext, useContext, useEffect, useMemo, useRef, type ReactNode } from 'react';
import { apiRoot } from './client';
import type { Verb } from './types';

// Topic is a kind of thing of which the server says that something of it has changed (GET /events).
export type Topic = 'studies' | 'devices' | 'people' | 'surface' | 'scans' | 'quarantine' | 'audit' | 'shares' | 'gate' | 'sends';

// The verb that each needs, as the server has it (internal/api/bell.go).
const needs: { [topic in Topic]: Verb } = {
  studies: 'query', devices: 'devices', people: 'people', surface: 'surface', scans: 'surface', quarantine: 'quarantine',
  audit: 'audit', shares: 'share', gate: 'configure', sends: 'retrieve',
};

type Hear = (topics: readonly Topic[] | 'all') => void;

const Context = createContext<((hear: Hear) => () => void) | null>(null);

const again = 5_000; // milliseconds until a stream that was refused is asked for again

// EventsProvider listens to the server once for all pages. After a gap everybody hears 'all'.
// Who may be told of nothing does not listen.
export function EventsProvider({ can, children }: { can: (verb: Verb) => boolean; children: ReactNode }) {
  const may = (Object.values(needs) as Verb[]).some(can);
  const hearing = useRef(new Set<Hear>());
  const subscribe = useMemo(() => (hear: Hear) => {
    hearing.current.add(hear);
    return () => { hearing.current.delete(hear); };
  }, []);

  useEffect(() => {
    if (!may) return;
    let stream: EventSource | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let gap = false;
    const tell = (topics: readonly Topic[] | 'all') => { for (const hear of hearing.current) hear(topics); };
    const open = () => {
      stream = new EventSource(`${apiRoot}/events`);
      stream.addEventListener('listening', () => { if (gap) tell('all'); gap = false; });
      stream.addEventListener('changed', e => tell(JSON.parse(e.data as string) as Topic[]));
      stream.addEventListener('error', () => {
        gap = true;
        if (stream?.readyState === EventSource.CLOSED) timer = setTimeout(open, again);
      });
    };
    const close = () => { clearTimeout(timer); stream?.close(); };
    open();
    return close;
  }, [may]);

  return <Context value={subscribe}>{children}</Context>;
}

// In milliseconds: how long changes are collected, and the least between two times that a page asks again. Each
// time is a search that the server records.
const collect = 500;
const least = 5_000;

// useChanged calls hear when something of the topics has changed.
export function useChanged(topics: readonly Topic[], hear: () => void) {
  const subscribe = useContext(Context);
  const latest = useRef(hear);
  latest.current = hear;
  const of = topics.join(' ');
  useEffect(() => {
    if (!subscribe || !of) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let last = 0;
    const wanted = of.split(' ') as Topic[];
    const end = subscribe(changed => {
      if (changed !== 'all' && !wanted.some(t => changed.includes(t))) return;
      timer ??= setTimeout(() => { timer = undefined; last = Date.now(); latest.current(); }, Math.max(collect, last + least - Date.now()));
    });
    return () => { end(); clearTimeout(timer); };
  }, [subscribe, of]);
}
