import { useState } from 'react';
import { Download } from 'lucide-react';
import { useApi } from '../../api/Api';
import type { ProofList, StudyPage } from '../../api/openapi';
import { problemOf, type Problem } from '../../api/problem';
import { call } from '../../api/routes';
import { useListed } from '../../api/useRoute';
import { useWords } from '../../language';
import { common } from '../../words/common';
import { study as own } from '../../words/study';
import { named } from '../../words/words';
import { Button } from '../../ui/Button';
import { Progress } from '../../ui/Progress';
import { Empty, Loaded, Reason } from '../../ui/State';
import { Table } from '../../ui/Table';
import { Time } from '../../ui/Time';

// Accesses are who saw a study.
export function Accesses({ study }: { study: string }) {
  const t = useWords(own);
  const c = useWords(common);
  const list = useListed('GET /api/v1/studies/{uid}/accesses', { path: { uid: study }, query: { limit: '200' } });
  return (
    <Loaded from={list} empty={<Empty title={t.nobody} />}>{items => <div className="stack">
      <p className="quiet">{t.accessesMore}</p>
      <Table label={t.accesses} rows={items} id={a => a.sequence} columns={[
        { id: 'time', name: t.time, cell: a => <Time at={a.time} form="exact" /> },
        { id: 'who', name: t.who, head: true, cell: a => <><b>{a.person ?? a.principal}</b>{a.person && a.person !== a.principal && <span className="quiet"> {a.principal}</span>}</> },
        { id: 'did', name: t.did, cell: a => <>{named(t.deeds, a.did ?? a.event)}{a.outcome !== 0 && <div className="quiet small">{t.refused}</div>}</> },
        { id: 'door', name: t.by, wide: true, cell: a => a.door ?? '–' },
        { id: 'address', name: t.address, wide: true, cell: a => <span className="mono">{a.address ?? '–'}</span> },
        { id: 'instances', name: t.instances, number: true, wide: true, cell: a => a.instances ?? '–' },
      ]} />
      {list.more && <div><Button onPress={list.more} isDisabled={list.loading}>{c.more}</Button></div>}
    </div>}</Loaded>
  );
}

// Ledger says what the ledger proves of a study, and gives the proofs as a file.
export function Ledger({ of }: { of: StudyPage }) {
  const t = useWords(own);
  const api = useApi();
  const [done, setDone] = useState<number>();
  const [problem, setProblem] = useState<Problem>();

  const take = async () => {
    setProblem(undefined);
    try {
      const proofs: ProofList['items'] = [];
      let key = '', cursor: string | undefined;
      do {
        setDone(proofs.length);
        const page: ProofList = await call(api, 'GET /api/v1/studies/{uid}/proof', { path: { uid: of.studyInstanceUID }, query: cursor ? { cursor } : {} });
        proofs.push(...page.items);
        [key, cursor] = [page.key, page.next];
      } while (cursor);
      handOver('ledger-proof.json', JSON.stringify({ key, proofs }, null, 1));
    } catch (e) {
      setProblem(problemOf(e));
    }
    setDone(undefined);
  };

  return (
    <div className="stack">
      <p>{of.ledger ? t.covered(of.ledger.covered, of.instanceCount) : t.manyCovered}</p>
      <p className="quiet">{t.ledgerMore}</p>
      {done !== undefined && <Progress label={t.proving} done={done} of={of.instanceCount} />}
      <Reason problem={problem} />
      <div><Button onPress={() => void take()} isDisabled={done !== undefined}><Download className="icon" aria-hidden />{t.proof}</Button></div>
    </div>
  );
}

function handOver(name: string, text: string) {
  const url = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
  const a = document.createElement('a');
  a.href = url;
  a.download = name;
  a.click();
  URL.revokeObjectURL(url);
}
