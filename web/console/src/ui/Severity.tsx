import { CircleAlert, Info, OctagonAlert, TriangleAlert } from 'lucide-react';
import type { Severity as Of } from '../api/types';
import { useWords } from '../language';
import { common } from '../words/common';
import './Severity.css';

export const severities: readonly Of[] = ['critical', 'high', 'medium', 'low', 'info'];

const icons = { critical: OctagonAlert, high: TriangleAlert, medium: CircleAlert, low: Info, info: Info };

// rank orders by severity, the worst first.
export const rank = (of: string) => severities.indexOf(of as Of);

// Severity is never a colour alone. One that is not known here is said as the server says it.
export function Severity({ of }: { of: string }) {
  const t = useWords(common);
  const known = severities.find(s => s === of);
  const Icon = icons[known ?? 'info'];
  return <span className="severity" data-of={of}><Icon className="icon" aria-hidden />{known ? t[known] : of}</span>;
}
