import { Fragment, type ReactNode } from 'react';
import './Pairs.css';

// Pairs are names with what they are; those without anything are left out.
export function Pairs({ of }: { of: readonly (readonly [string, ReactNode])[] }) {
  return <dl className="pairs">{of.filter(([, what]) => what !== undefined && what !== '' && what !== null && what !== false).map(([name, what]) => <Fragment key={name}><dt>{name}</dt><dd>{what}</dd></Fragment>)}</dl>;
}
