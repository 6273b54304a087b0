import type { Invited } from '../../api/openapi';
import { useWords } from '../../language';
import { once } from '../../words/once';
import { people as own } from '../../words/people';
import { Button } from '../../ui/Button';
import { CopyLine } from '../../ui/CopyLine';
import { Dialog, Ends } from '../../ui/Dialog';
import { QR } from '../../ui/QR';
import { Time } from '../../ui/Time';

// OneTime shows a one-time link, once.
export function OneTime({ link, close }: { link: Invited; close: () => void }) {
  const t = useWords(own);
  const o = useWords(once);
  return (
    <Dialog title={t.linkFor(link.name ?? '')}>
      <p className="quiet">{o.now} {o.until} <Time at={link.expires} />.</p>
      <CopyLine text={link.link} />
      <QR text={link.link} />
      <Ends><Button kind="main" onPress={close}>{o.done}</Button></Ends>
    </Dialog>
  );
}
