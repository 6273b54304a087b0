import { Suspense, useEffect, useRef, useState } from 'react';
import { CircleUser, Info, LogOut, Moon, Sun } from 'lucide-react';
import { Link } from 'react-aria-components';
import { useLanguage, useWords } from '../language';
import { pages, type Entry } from '../pages';
import { address, usePath } from '../route';
import { useSession } from '../session';
import { useTheme } from '../theme';
import { nav } from '../words/nav';
import { shell } from '../words/shell';
import type { Language } from '../words/words';
import { Button } from '../ui/Button';
import { Chips } from '../ui/Chips';
import { Link as Onward } from '../ui/Link';
import { Menu } from '../ui/Menu';
import { Page } from '../ui/Page';
import { Empty, Failed, Loading } from '../ui/State';
import { Problem } from '../api/problem';
import { About } from './About';
import { Boundary } from './Boundary';
import './Shell.css';

// Shell is what is around every page: who is signed in, where one can go, and that this is no medical device.
export function Shell() {
  const t = useWords(shell);
  const path = usePath();
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);

  // Who goes to another page by keyboard or screen reader is at its beginning.
  useEffect(() => {
    if (first.current) { first.current = false; return; }
    main.current?.focus({ preventScroll: true });
    scrollTo(0, 0);
  }, [path]);

  return (
    <div className="shell">
      <a className="skip" href="#content" onClick={e => { e.preventDefault(); main.current?.focus(); }}>{t.skip}</a>
      <Top />
      <Nav path={path} />
      <main id="content" className="main" ref={main} tabIndex={-1}>
        <Boundary key={path}><Suspense fallback={<Loading />}><Open path={path} /></Suspense></Boundary>
      </main>
      <footer className="foot">{t.notDevice}</footer>
    </div>
  );
}

function Top() {
  const t = useWords(shell);
  const { language, choose } = useLanguage();
  const [theme, setTheme] = useTheme();
  const { session, signOut } = useSession();
  const [about, setAbout] = useState(false);
  return (
    <header className="top">
      <Link className="brand" href={address('')}>Collimator</Link>
      <Chips<Language> label={t.language} always options={[['en', 'EN'], ['de', 'DE']]} value={language} onChange={next => { if (next) choose(next); }} />
      <Button kind="icon" label={theme === 'dark' ? t.light : t.dark} onPress={() => setTheme(theme === 'dark' ? 'light' : 'dark')}>
        {theme === 'dark' ? <Sun className="icon" aria-hidden /> : <Moon className="icon" aria-hidden />}
      </Button>
      <Menu label={t.signedIn(session.name)} button={<><CircleUser className="icon" aria-hidden /><span className="name">{session.name}</span></>} entries={[
        { id: 'account', name: t.account, icon: <CircleUser className="icon" aria-hidden />, to: address('account') },
        { id: 'about', name: t.about, icon: <Info className="icon" aria-hidden />, act: () => setAbout(true) },
        { id: 'out', name: t.signOut, icon: <LogOut className="icon" aria-hidden />, act: signOut },
      ]} />
      {about && <About close={() => setAbout(false)} />}
    </header>
  );
}

const allowed = (page: Entry, { session, can }: ReturnType<typeof useSession>) =>
  (!page.verbs || page.verbs.some(can)) && (!page.roles || page.roles.includes(session.role ?? ''));

function Nav({ path }: { path: string }) {
  const t = useWords(shell);
  const names = useWords(nav);
  const signed = useSession();
  const bar = useRef<HTMLElement>(null);
  useEffect(() => { bar.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' }); }, [path]);
  return (
    <nav className="nav" aria-label={t.areas} ref={bar}>
      <ul>
        {pages.filter(p => p.icon && allowed(p, signed)).map(({ path: to, name, icon: Icon }) => {
          const here = to === path || to !== '' && path.startsWith(to + '/');
          return <li key={to}><Link className="navlink" href={address(to)} {...(here && { 'aria-current': 'page' })}>{Icon && <Icon className="icon" aria-hidden />}{names[name]}</Link></li>;
        })}
      </ul>
    </nav>
  );
}

function Open({ path }: { path: string }) {
  const t = useWords(shell);
  const names = useWords(nav);
  const signed = useSession();
  const page = pages.find(p => p.path === path);
  if (!page) return <Page title={t.notHere}><Empty title={t.notHereMore} next={<Onward to={address('')} kind="main">{t.toStart}</Onward>} /></Page>;
  if (!allowed(page, signed)) return <Page title={names[page.name]}><Failed problem={new Problem(403, 'denied', '')} /></Page>;
  return <page.Content />;
}
