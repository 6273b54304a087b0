import { useEffect, useState } from 'react';
import { useApi } from '../api/Api';
import { call } from '../api/routes';
import { useWords } from '../language';
import { once } from '../words/once';
import './QR.css';

// QR is a text for the camera of a telephone. The server draws it; the text goes there in a body and is kept nowhere.
export function QR({ text }: { text: string }) {
  const t = useWords(once);
  const api = useApi();
  const [rows, setRows] = useState<string[]>();
  useEffect(() => {
    let gone = false;
    setRows(undefined);
    call(api, 'POST /api/v1/qr', { body: { text } }).then(x => { if (!gone) setRows(x.rows); }, () => {}); // the text itself stands beside it
    return () => { gone = true; };
  }, [api, text]);

  if (!rows) return null;
  const size = rows.length + 8; // four light modules around it
  const dark = rows.flatMap((row, y) => [...row].map((m, x) => m === '1' ? `M${x + 4} ${y + 4}h1v1h-1z` : '')).join('');
  return <svg className="qr" role="img" aria-label={t.qr} viewBox={`0 0 ${size} ${size}`} shapeRendering="crispEdges"><rect width={size} height={size} fill="#fff" /><path d={dark} fill="#000" /></svg>;
}
