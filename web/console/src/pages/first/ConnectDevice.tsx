import { useState } from 'react';
import { Radio } from 'lucide-react';
import type { Connection } from '../../api/openapi';
import type { Pending } from '../../api/types';
import { useListed } from '../../api/useRoute';
import { useWords } from '../../language';
import { first as own } from '../../words/first';
import { Button } from '../../ui/Button';
import { CopyLine } from '../../ui/CopyLine';
import { Pairs } from '../../ui/Pairs';
import { Tabs } from '../../ui/Tabs';
import { Time } from '../../ui/Time';
import { Approve } from '../devices/Approve';
import { Card } from './Card';
import { Authority } from './Authority';
import { dcm4che, dcmtk, endpoint, orthanc, useConnection } from './connection';

// ConnectDevice waits for a device that calls, and has it approved.
export function ConnectDevice({ done }: { done: boolean | undefined }) {
  const t = useWords(own);
  const pending = useListed('GET /api/v1/devices/pending', {}, { on: ['devices'] });
  const [approving, approve] = useState<Pending>();
  const connection = useConnection();
  const callers = pending.data ?? [];
  return (
    <Card title={t.connect} done={done}>
      <p className="quiet">{t.connectMore}</p>
      <div className="stack" role="status">
        {callers.length === 0 && !done && <p className="row"><Radio className="icon" aria-hidden />{t.waiting}</p>}
        {callers.map(p => <div key={p.id} className="row">
          <span>{t.called(p.callingAETitle, p.address)} <span className="quiet"><Time at={p.lastSeen} /></span></span>
          <Button kind="main" onPress={() => approve(p)}>{t.look}</Button>
        </div>)}
      </div>
      {connection && <Lines of={connection} />}
      {approving && <Approve caller={approving} close={() => approve(undefined)} done={() => { approve(undefined); pending.reload(); }} />}
    </Card>
  );
}

type Kind = 'dialog' | 'dcmtk' | 'orthanc' | 'dcm4che';

// Lines are what is typed at the device, for what it is.
function Lines({ of }: { of: Connection }) {
  const t = useWords(own);
  const [kind, set] = useState<Kind>('dialog');
  const d = dcmtk(of), j = dcm4che(of);
  return (
    <>
      <Authority pem={of.authority} />
      <Tabs<Kind> label={t.typed} selected={kind} onChange={set} parts={[
        { id: 'dialog', name: t.dialog, content: () => <Dialog of={of} /> },
        { id: 'dcmtk', name: 'DCMTK', content: () => <div className="stack"><p>{t.ownKey}</p><CopyLine text={d.key} /><p>{t.thenEcho}</p><CopyLine text={d.echo} /><p>{t.thenSend}</p><CopyLine text={d.store} /></div> },
        { id: 'orthanc', name: 'Orthanc', content: () => <div className="stack"><p>{t.intoOrthanc}</p><CopyLine text={orthanc(of)} /></div> },
        { id: 'dcm4che', name: 'dcm4chee', content: () => <div className="stack"><p>{t.forJava}</p><CopyLine text={d.key} /><CopyLine text={j.key} /><CopyLine text={j.trust} /><p>{t.thenSend}</p><CopyLine text={j.store} /></div> },
      ]} />
    </>
  );
}

// Dialog is what the settings of a modality ask for.
function Dialog({ of }: { of: Connection }) {
  const t = useWords(own);
  const { host, port } = endpoint(of);
  return (
    <Pairs of={[
      [t.calledTitle, <CopyLine text={of.aeTitle} />],
      [t.host, <CopyLine text={host} />],
      [t.port, <CopyLine text={port} />],
      ['TLS', t.tls],
      [t.trusted, 'ca.pem'],
      [t.callingTitle, t.callingMore],
    ]} />
  );
}
