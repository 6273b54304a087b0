import { useEffect, type ReactNode } from 'react';
import { Link } from 'react-aria-components';
import { Count } from './Numbers';
import './Page.css';

// Page is the frame of every page. title names what it is for, and becomes the title of the window: never a
// person. sentence, where there is one, is the heading instead: the state in one sentence with a number.
export function Page({ title, sentence, more, actions, children }: {
  title: string;
  sentence?: ReactNode;
  more?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}) {
  useEffect(() => { document.title = `${title} · Collimator`; }, [title]);
  return (
    <div className="page">
      <header className="pagehead">
        <div><h1>{sentence ?? title}</h1>{more && <p className="quiet">{more}</p>}</div>
        {actions && <div className="row">{actions}</div>}
      </header>
      {children}
    </div>
  );
}

// Counts is a row of numbers.
export const Counts = ({ children }: { children: ReactNode }) => <div className="counts">{children}</div>;

// Counted is one of them, which may lead to what was counted.
export function Counted({ label, of, to }: { label: ReactNode; of: number | undefined; to?: string }) {
  const inside = <><span className="quiet small">{label}</span><b>{of === undefined ? '–' : <Count of={of} />}</b></>;
  return to ? <Link className="count" href={to}>{inside}</Link> : <div className="count">{inside}</div>;
}
