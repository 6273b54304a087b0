import { root } from './route';

// The channel on which tabs of this server tell one another that somebody is here, or that a session has ended.
// Pages of the viewer listen too (web/viewer/boot.js).
const channel = new BroadcastChannel('collimator-session');

const signInPage = '/setup/';
const back = 'collimator.back';

let clear = () => {};
let left = false;
let person = '';

// onLeave says how everything that is shown is taken away.
export function onLeave(how: () => void) { clear = how; }

// leave takes everything away that is shown and goes to sign in. 'over': the server no longer knows the session,
// and after signing in one is where one was, with what was shown there. 'idle' and 'out' remember nothing of what
// was shown, and tell the other tabs. 'told' is what a tab does that was told so.
export function leave(why: 'over' | 'idle' | 'out' | 'told', to?: string) {
  if (left) return;
  left = true;
  const here = location.pathname;
  if (why === 'over') remember();
  else forget();
  if (why === 'idle' || why === 'out') channel.postMessage('ended');
  clear();
  history.replaceState(null, '', here); // nothing of it stays in the history of the browser
  location.replace(why === 'over' || why === 'idle' ? here : to ?? signInPage);
}

// onActive hears that somebody is here in another tab; tellActive tells the others.
export const onActive = (heard: () => void) => {
  const listen = (e: MessageEvent) => { if (e.data === 'active') heard(); };
  channel.addEventListener('message', listen);
  return () => channel.removeEventListener('message', listen);
};
export const tellActive = () => channel.postMessage('active');

export function listen() {
  channel.addEventListener('message', e => { if (e.data === 'ended') leave('told'); });
  // A page that comes back out of the browser's memory has been left.
  addEventListener('pageshow', e => { if (e.persisted) location.reload(); });
}

// comeBack takes off the address what the way to sign in has left on it.
export function comeBack() {
  const path = location.pathname === root ? root + '/' : location.pathname;
  if (location.search || path !== location.pathname) history.replaceState(null, '', path + location.hash);
}

// signedInAs puts back what was shown, where the same person had to sign in again in between.
export function signedInAs(name: string) {
  person = name;
  try {
    const was = JSON.parse(sessionStorage.getItem(back) ?? 'null') as { person?: string; path?: string; hash?: string } | null;
    if (was?.person === name && was.path === location.pathname && was.hash && location.hash === '') {
      history.replaceState(null, '', was.path + was.hash);
    }
  } catch { /* it was not kept, then */ }
  forget();
}

function remember() {
  try {
    sessionStorage.setItem(back, JSON.stringify({ person, path: location.pathname, hash: location.hash }));
  } catch { /* then one begins anew */ }
}

function forget() {
  try { sessionStorage.removeItem(back); } catch { /* there is nothing */ }
}
