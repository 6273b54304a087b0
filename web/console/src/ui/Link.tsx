import type { ReactNode } from 'react';
import { Link as Aria } from 'react-aria-components';
import type { ButtonKind } from './Button';
import './Button.css';

// Link leads to a page; with a kind it looks like a button.
export function Link({ to, kind, children, download }: { to: string; kind?: ButtonKind; children: ReactNode; download?: boolean }) {
  return <Aria href={to} {...(kind && { className: 'button', 'data-kind': kind })} {...(download && { download: true })}>{children}</Aria>;
}

// IconLink is one of which only a picture is seen; label says where it leads.
export function IconLink({ to, label, children }: { to: string; label: string; children: ReactNode }) {
  return <Aria href={to} className="button" data-kind="icon" aria-label={label}>{children}</Aria>;
}
