import { useCallback, useEffect, useRef, useState } from 'react';
import { problemOf, type Problem } from '../api/problem';
import { leave } from '../leave';
import { isObject, parts, type Part } from './sources';
import { store } from './store';

// Row is what became of a file; other files are no objects and are left.
export interface Row { id: number; name: string; is: 'stored' | 'refused' | 'other'; code?: string }

export interface Upload {
  running: boolean;
  found: number; // files so far
  stored: number;
  refused: number;
  other: number;
  rows: Row[]; // what was not stored, and the last ones that were
  problem?: Problem | undefined; // why it stopped
  unreadable?: boolean; // a ZIP file that is none, or damaged
}

// How many objects are on their way at once, and how many rows are kept.
const atOnce = 3;
const rowsMost = 200;

const nothing: Upload = { running: false, found: 0, stored: 0, refused: 0, other: 0, rows: [] };

// useUpload stores files, each by a request of its own. It ends with the page.
export function useUpload() {
  const [state, set] = useState<Upload>(nothing);
  const stop = useRef<AbortController>(undefined);
  useEffect(() => () => stop.current?.abort(), []);

  const start = useCallback((files: AsyncIterable<File> | Iterable<File>) => {
    stop.current?.abort();
    const mine = stop.current = new AbortController();
    const update = (change: (old: Upload) => Upload) => { if (stop.current === mine) set(change); };
    set({ ...nothing, running: true });
    void run(parts(files), mine.signal, update).then(
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
  const end = useCallback(() => stop.current?.abort(), []);
  return { ...state, start, end };
}

async function run(from: AsyncGenerator<Part>, signal: AbortSignal, update: (change: (old: Upload) => Upload) => void) {
  let next = 0;
  const worker = async () => {
    for (;;) {
      const { done, value } = await from.next(); // a generator answers in the order in which it is asked
      if (done || signal.aborted) return;
      const id = next++;
      update(old => ({ ...old, found: old.found + 1 }));
      const row = await one(id, value, signal);
      update(old => ({ ...old, [row.is]: old[row.is] + 1, rows: kept([row, ...old.rows]) }));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

async function one(id: number, part: Part, signal: AbortSignal): Promise<Row> {
  if (!await isObject(part)) return { id, name: part.name, is: 'other' };
  const { ok, code } = await store(part, signal);
  return { id, name: part.name, is: ok ? 'stored' : 'refused', ...(code !== undefined && { code }) };
}

// kept drops the oldest that needs nobody's eye.
function kept(rows: Row[]): Row[] {
  if (rows.length <= rowsMost) return rows;
  const at = rows.findLastIndex(r => r.is !== 'refused');
  return rows.toSpliced(at < 0 ? rows.length - 1 : at, 1);
}
