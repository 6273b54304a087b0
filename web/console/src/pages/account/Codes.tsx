import { useWords } from '../../language';
import { save } from '../../save';
import { account as own } from '../../words/account';
import { once } from '../../words/once';
import { Button } from '../../ui/Button';
import { CopyLine } from '../../ui/CopyLine';
import { Dialog, Ends } from '../../ui/Dialog';

// Codes shows recovery codes, once.
export function Codes({ codes, close }: { codes: string[]; close: () => void }) {
  const t = useWords(own);
  const o = useWords(once);
  const text = codes.join('\n');
  return (
    <Dialog title={t.theCodes}>
      <p className="quiet">{o.now} {t.codesMore}</p>
      <CopyLine text={text} />
      <Ends><Button onPress={() => save('collimator-recovery-codes.txt', text + '\n', 'text/plain')}>{t.saveCodes}</Button><Button kind="main" onPress={close}>{o.done}</Button></Ends>
    </Dialog>
  );
}
