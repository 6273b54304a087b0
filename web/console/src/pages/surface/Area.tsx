import type { ReactNode } from 'react';
import { Link } from 'react-aria-components';
import { useWords } from '../../language';
import { address, usePath } from '../../route';
import { nav } from '../../words/nav';
import { surface as own } from '../../words/surface';
import { Page } from '../../ui/Page';
import './Surface.css';

const parts = [
  ['surface', 'issues'], ['surface/systems', 'systems'], ['surface/scans', 'scans'], ['surface/changes', 'changes'], ['surface/advisories', 'advisories'], ['surface/report', 'report'],
] as const;

// Area is the frame of the pages about the attack surface.
export function Area({ title, more, actions, children }: { title: string; more?: ReactNode; actions?: ReactNode; children: ReactNode }) {
  const t = useWords(own);
  const names = useWords(nav);
  const path = usePath();
  return (
    <Page title={title} more={more} actions={actions}>
      <nav className="sub" aria-label={names.surface}><ul>{parts.map(([to, name]) =>
        <li key={to}><Link className="sublink" href={address(to)} {...(to === path && { 'aria-current': 'page' as const })}>{name === 'issues' ? t.issues : names[name]}</Link></li>,
      )}</ul></nav>
      {children}
    </Page>
  );
}
