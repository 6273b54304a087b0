import { useCallback, useMemo, useSyncExternalStore } from 'react';

// The pages stand under this address. Only the name of a page is in the path: what it shows (a study, what is
// searched for) is in the fragment, which goes to no server, into no log and no title.
export const root = '/console';

const moved = 'collimator:moved';

// navigate goes to a page of the console without loading it anew; every other address is loaded.
export function navigate(href: string, options: { replace?: boolean } = {}) {
  const to = new URL(href, location.href);
  if (to.origin !== location.origin || !(to.pathname === root || to.pathname.startsWith(root + '/'))) {
    location.assign(to);
    return;
  }
  history[options.replace ? 'replaceState' : 'pushState'](null, '', to.pathname + to.hash);
  dispatchEvent(new Event(moved));
}

function subscribe(changed: () => void) {
  const events = [moved, 'popstate', 'hashchange'];
  for (const e of events) addEventListener(e, changed);
  return () => { for (const e of events) removeEventListener(e, changed); };
}

// pageOf is the path of a page without the root and slashes around it: '' is the start.
export const pageOf = (path: string) => path.slice(root.length).replace(/^\/+|\/+$/g, '');

// usePath is the path of the page that is open, such as 'devices'.
export const usePath = () => useSyncExternalStore(subscribe, () => pageOf(location.pathname));

// address is that of a page, with what it shows.
export function address(page: string, shows: Record<string, string | undefined> = {}): string {
  const fragment = new URLSearchParams();
  for (const [name, value] of Object.entries(shows)) if (value) fragment.set(name, value);
  const text = fragment.toString();
  return `${root}/${page}${text ? '#' + text : ''}`;
}

type Change = (name: string, value: string | undefined) => void;

// useFragment is what the page shows, as the address has it behind '#', and how one of it is changed: an empty
// value takes it out. The step back of the browser leads over pages and not over each letter.
export function useFragment(): [URLSearchParams, Change] {
  const hash = useSyncExternalStore(subscribe, () => location.hash);
  const shows = useMemo(() => new URLSearchParams(hash.slice(1)), [hash]);
  const change = useCallback<Change>((name, value) => {
    const next = new URLSearchParams(location.hash.slice(1));
    if (value) next.set(name, value);
    else next.delete(name);
    const text = next.toString();
    navigate(location.pathname + (text ? '#' + text : ''), { replace: true });
  }, []);
  return [shows, change];
}
