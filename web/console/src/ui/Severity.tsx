import { CircleAlert, Info, OctagonAlert, TriangleAlert } from 'lucide-react';
import type { Severity as Of } from '../api/types';
import { useWords } from '../language';
import { common } from '../words/common';
import './Severity.css';

export const severities: readonly Of[] = ['critical', 'high', 'medium', 'low', 'info'];

const icons = { critical: OctagonAlert, high: TriangleAlert, medium: CircleAlert, low: Info, info: Info };

// Severity is never a colour alone.
export function Severity({ of }: { of: Of }) {
  const t = useWords(common);
  const Icon = icons[of];
  return <span className="severity" data-of={of}><Icon className="icon" aria-hidden />{t[of]}</span>;
}
