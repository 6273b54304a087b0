import { useState } from 'react';
import type { Connection } from '../../api/openapi';
import { useWords } from '../../language';
import { save } from '../../save';
import { devices as own } from '../../words/devices';
import { once } from '../../words/once';
import { Button } from '../../ui/Button';
import { Chips } from '../../ui/Chips';
import { CopyLine } from '../../ui/CopyLine';
import { Facts } from '../../ui/Facts';
import { lines, softwareNames, softwares, type Software, type Target } from './lines';

// Lines are what is typed into a device so that it finds its target.
export function Lines({ target, connection }: { target: Target; connection: Connection }) {
  const t = useWords(own);
  const o = useWords(once);
  const [software, setSoftware] = useState<Software | 'dialog'>('dialog');
  const code = (text: string) => <span className="mono">{text}</span>;
  return (
    <section className="stack panel">
      <h2>{t.type}</h2>
      <Chips<Software | 'dialog'> label={t.into} always value={software} onChange={s => { if (s) setSoftware(s); }}
        options={[['dialog', t.dialog], ...softwares.map(s => [s, softwareNames[s]] as const)]} />
      {software !== 'dialog' ? <CopyLine text={lines(software, target)} /> : <Facts of={[
        [t.typeOwn, code(target.own)], [t.typeCalled, code(target.called)], [t.typeHost, code(target.host)], [t.typePort, code(target.port)],
        [t.typeTLS, { certificate: t.withCert, nocert: t.withoutCert, plain: t.off }[target.way]],
        ...(target.way === 'plain' ? [] : [[t.typeAuthority, <Button onPress={() => save('ca.pem', connection.authority, 'application/x-pem-file')}>{o.saveFile('ca.pem')}</Button>] as const, [t.print, code(connection.authoritySHA256)] as const]),
      ]} />}
      <p className="quiet small">{t.hint}</p>
    </section>
  );
}
