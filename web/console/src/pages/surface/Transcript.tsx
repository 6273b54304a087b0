import type { Evidence } from '../../api/openapi';
import { useWords } from '../../language';
import { surface as own } from '../../words/surface';
import '../../ui/Pairs.css';

// Transcript is what was sent and what came back. It is longer than its box, so the keyboard can scroll it.
export function Transcript({ of }: { of: Evidence[] }) {
  const t = useWords(own);
  return <>{of.map((e, n) => <div key={n} className="stack">
    <pre className="transcript" tabIndex={0} role="group" aria-label={t.sent} lang="en">{`→ ${e.sent}`}</pre>
    <pre className="transcript" tabIndex={0} role="group" aria-label={t.received} lang="en">{`← ${e.received}`}</pre>
  </div>)}</>;
}
