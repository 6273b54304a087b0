import { useWords } from '../language';
import { shell } from '../words/shell';
import { Button } from '../ui/Button';
import { Dialog, Ends } from '../ui/Dialog';

export function About({ close }: { close: () => void }) {
  const t = useWords(shell);
  return (
    <Dialog title="Collimator" onClose={close}>
      <p>{t.aboutMore}</p>
      <ul className="stack">
        <li><a href="/console/NOTICES.txt" target="_blank" rel="noreferrer">{t.notices}</a></li>
        <li><a href="/viewer/NOTICES.txt" target="_blank" rel="noreferrer">{t.viewerNotices}</a></li>
      </ul>
      <Ends><Button kind="main" autoFocus onPress={close}>{t.close}</Button></Ends>
    </Dialog>
  );
}
