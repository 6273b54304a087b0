import { useWords } from '../../language';
import { devices as own } from '../../words/devices';
import { Checkbox } from '../../ui/Checkbox';

const verbs = ['echo', 'store', 'query', 'retrieve', 'commit'] as const;

// Rights are what a device may do.
export function Rights({ allow, change }: { allow: readonly string[]; change: (allow: string[]) => void }) {
  const t = useWords(own);
  return (
    <div role="group" aria-label={t.allow} className="stack">
      <b>{t.allow}</b>
      {verbs.map(v => <Checkbox key={v} isSelected={allow.includes(v)} onChange={on => change(on ? [...allow, v] : allow.filter(x => x !== v))}>{t.verbs[v]}</Checkbox>)}
    </div>
  );
}
