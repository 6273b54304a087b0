import { Copy } from 'lucide-react';
import { useWords } from '../language';
import { common } from '../words/common';
import { Button } from './Button';
import { useSay } from './Status';
import './CopyLine.css';

// CopyLine shows a command, a link or a fingerprint, to be taken along.
export function CopyLine({ text }: { text: string }) {
  const t = useWords(common);
  const say = useSay();
  return (
    <div className="copyline">
      <code>{text}</code>
      <Button kind="icon" label={t.copy} onPress={() => { navigator.clipboard.writeText(text).then(() => say(t.copied), () => {}); }}><Copy className="icon" aria-hidden /></Button>
    </div>
  );
}
