import type { ReactNode } from 'react';
import './Facts.css';

// Facts are what is known of one thing, each with its name.
export function Facts({ of }: { of: readonly (readonly [string, ReactNode])[] }) {
  return <dl className="factgrid">{of.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>;
}
