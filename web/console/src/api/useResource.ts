import { useCallback, useEffect, useState } from 'react';
import { useApi } from './Api';
import { problemOf, type Problem } from './problem';
import type { List } from './types';

// Resource is what was asked for, as far as it is there. What was there stays while it is loaded anew, and when
// that fails.
export interface Resource<T> {
  data: T | undefined;
  problem: Problem | undefined;
  loading: boolean;
  reload: () => void;
}

interface State<T> { path?: string; data?: T; problem?: Problem; loading: boolean }

// useResource loads what stands under a path of the API, and again when the path is another one; without a path
// nothing. every: also again after so many milliseconds, while somebody looks.
export function useResource<T>(path: string | undefined, options: { every?: number | undefined } = {}): Resource<T> {
  const api = useApi();
  const [state, set] = useState<State<T>>({ loading: path !== undefined });
  const [turn, setTurn] = useState(0);
  const reload = useCallback(() => setTurn(n => n + 1), []);

  useEffect(() => {
    if (path === undefined) return;
    const stop = new AbortController();
    set(old => ({ ...old, loading: true }));
    api.get<T>(path, { signal: stop.signal }).then(
      data => { if (!stop.signal.aborted) set({ path, data, loading: false }); },
      (e: unknown) => { if (!stop.signal.aborted) set(old => ({ ...old, path, problem: problemOf(e), loading: false })); },
    );
    return () => stop.abort();
  }, [api, path, turn]);

  const { every } = options;
  useEffect(() => {
    if (!every) return;
    const timer = setInterval(() => { if (!document.hidden) reload(); }, every);
    return () => clearInterval(timer);
  }, [every, reload]);

  return { data: state.data, problem: state.problem, loading: state.loading, reload };
}

export interface Items<T> extends Resource<T[]> {
  more: (() => void) | undefined; // where there are more
}

// useItems loads a list of the API, its first page, and with more() the next.
export function useItems<T>(path: string | undefined): Items<T> {
  const api = useApi();
  const first = useResource<List<T>>(path);
  const [rest, setRest] = useState<{ of?: List<T>; items: T[]; next?: number; problem?: Problem; loading: boolean }>({ items: [], loading: false });
  const mine = rest.of === first.data ? rest : { items: [], loading: false };
  const next = 'of' in mine ? mine.next : first.data?.next;

  const more = useCallback(() => {
    if (path === undefined || next === undefined) return;
    const of = first.data;
    const before = mine.items;
    setRest({ ...(of && { of }), items: before, next, loading: true });
    api.get<List<T>>(`${path}${path.includes('?') ? '&' : '?'}after=${next}`).then(
      page => setRest({ ...(of && { of }), items: [...before, ...page.items], ...(page.next !== undefined && { next: page.next }), loading: false }),
      (e: unknown) => setRest({ ...(of && { of }), items: before, next, problem: problemOf(e), loading: false }),
    );
  }, [api, path, next, first.data, mine.items]);

  return {
    data: first.data && [...first.data.items, ...mine.items],
    problem: first.problem ?? ('problem' in mine ? mine.problem : undefined),
    loading: first.loading || mine.loading,
    reload: first.reload,
    more: next === undefined ? undefined : more,
  };
}
