import { useCallback, useEffect, useRef, useState } from 'react';
import { problemOf, type Problem } from '../api/problem';
import { leave } from '../leave';
import { isObject, parts, type Part } from './sources';
import { store, type Stored } from './store';

// Row is what became of a file; other files are no objects and are left.
export interface Row { id: number; name: string; is: 'stored' | 'refused' | 'other'; code?: string }

export interface Upload {
  running: boolean;
  paused: boolean; // nothing is sent until it goes on: by the person, or while the server cannot be reached
  found: number; // files so far
  stored: number;
  refused: number;
  other: number;
  rows: Row[]; // what was not stored, and the last ones that were
  problem?: Problem | undefined; // why it stopped
  unreadable?: boolean; // a ZIP file that is none, or damaged
}

// How long a server that does not answer is left alone, in milliseconds.
const again = 3000;

// How many objects are on their way at once, and how many rows are kept.
const atOnce = 4;
const rowsMost = 200;

const nothing: Upload = { running: false, paused: false, found: 0, stored: 0, refused: 0, other: 0, rows: [] };

// useUpload stores files, each by a request of its own. It ends with the page, which says so before it is left.
export function useUpload() {
  const [state, set] = useState<Upload>(nothing);
  const gate = useRef(new Gate());
  const stop = useRef<AbortController>(undefined);
  useEffect(() => () => stop.current?.abort(), []);

  useEffect(() => {
    if (!state.running) return;
    const warn = (e: BeforeUnloadEvent) => e.preventDefault();
    addEventListener('beforeunload', warn);
    return () => removeEventListener('beforeunload', warn);
  }, [state.running]);

  const start = useCallback((files: AsyncIterable<File> | Iterable<File>) => {
    stop.current?.abort();
    const mine = stop.current = new AbortController();
    const update = (change: (old: Upload) => Upload) => { if (stop.current === mine) set(change); };
    gate.current.open();
    set({ ...nothing, running: true });
    void run(parts(files), gate.current, mine.signal, update).then(
      () => update(old => ({ ...old, running: false })),
      (e: unknown) => {
        if (mine.signal.aborted) return update(old => ({ ...old, running: false }));
        const problem = problemOf(e);
        if (problem.status === 401) return leave('over');
        mine.abort();
        update(old => ({ ...old, running: false, ...(e === problem ? { problem } : { unreadable: true }) }));
      },
    );
  }, []);
  const end = useCallback(() => { stop.current?.abort(); gate.current.open(); }, []);
  const pause = useCallback((on: boolean) => {
    if (on) gate.current.shut();
    else gate.current.open();
    set(old => ({ ...old, paused: on }));
  }, []);
  return { ...state, start, end, pause };
}

// Gate holds back what comes to it while it is shut.
class Gate {
  #open = Promise.resolve();
  #let = () => {};
  passed() { return this.#open; }
  open() { this.#let(); }
  shut() { this.#let(); this.#open = new Promise(resolve => { this.#let = resolve; }); }
}

async function run(from: AsyncGenerator<Part>, gate: Gate, signal: AbortSignal, update: (change: (old: Upload) => Upload) => void) {
  let next = 0;
  const worker = async () => {
    for (;;) {
      await gate.passed();
      const { done, value } = await from.next(); // a generator answers in the order in which it is asked
      if (done || signal.aborted) return;
      const id = next++;
      update(old => ({ ...old, found: old.found + 1 }));
      const row = await one(id, value, gate, signal);
      update(old => ({ ...old, [row.is]: old[row.is] + 1, rows: kept([row, ...old.rows]) }));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

// one stores a file, again and again while the server cannot be reached: what is stored twice is the same object.
async function one(id: number, part: Part, gate: Gate, signal: AbortSignal): Promise<Row> {
  if (!await isObject(part)) return { id, name: part.name, is: 'other' };
  for (;;) {
    await gate.passed();
    try {
      return rowOf(id, part.name, await store(part, signal));
    } catch (e) {
      if (signal.aborted || problemOf(e).code !== 'offline' || e !== problemOf(e)) throw e;
      await new Promise(resolve => setTimeout(resolve, again));
    }
  }
}

function rowOf(id: number, name: string, { ok, code }: Stored): Row {
  return { id, name, is: ok ? 'stored' : 'refused', ...(code !== undefined && { code }) };
}

// kept drops the oldest that needs nobody's eye.
function kept(rows: Row[]): Row[] {
  if (rows.length <= rowsMost) return rows;
  const at = rows.findLastIndex(r => r.is !== 'refused');
  return rows.toSpliced(at < 0 ? rows.length - 1 : at, 1);
}
