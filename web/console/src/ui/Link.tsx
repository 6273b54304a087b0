import type { ReactNode } from 'react';
import { Link as Aria } from 'react-aria-components';
import type { ButtonKind } from './Button';
import './Button.css';

// Link leads to a page; with a kind it looks like a button.
export function Link({ to, kind, children, download }: { to: string; kind?: ButtonKind; children: ReactNode; download?: boolean }) {
  return <Aria href={to} {...(kind && { className: 'button', 'data-kind': kind })} {...(download && { download: true })}>{children}</Aria>;
}
