import { useWords } from '../../language';
import { scans as own } from '../../words/scans';
import './Scans.css';

// Sent says what a scan sends, before it is sent (docs/scan.md).
export function Sent() {
  const t = useWords(own);
  return <details className="sentbox" open><summary>{t.sent}</summary><ul className="sent">{t.sends.map(x => <li key={x}>{x}</li>)}</ul></details>;
}
