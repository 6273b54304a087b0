import { useState } from 'react';
import { FlaskConical } from 'lucide-react';
import { apiRoot } from '../../api/client';
import { problemOf, readProblem, type Problem } from '../../api/problem';
import { useWords } from '../../language';
import { first as own } from '../../words/first';
import { Drop } from '../../upload/Drop';
import { useUpload } from '../../upload/useUpload';
import { Button } from '../../ui/Button';
import { CopyLine } from '../../ui/CopyLine';
import { Reason } from '../../ui/State';
import { Card } from './Card';
import { dcmtk, useConnection } from './connection';

// StoreStudy takes a first study: one's own, or one of nobody.
export function StoreStudy({ done }: { done: boolean | undefined }) {
  const t = useWords(own);
  const upload = useUpload();
  const connection = useConnection();
  const [problem, setProblem] = useState<Problem>();
  const [asked, setAsked] = useState(false);

  const sample = async () => {
    setAsked(true);
    setProblem(undefined);
    try {
      const answer = await fetch(`${apiRoot}/sample`, { cache: 'no-store' });
      if (!answer.ok) throw await readProblem(answer);
      upload.start([new File([await answer.blob()], 'TEST.zip')]);
    } catch (e) {
      setProblem(problemOf(e));
    }
    setAsked(false);
  };

  return (
    <Card title={t.store} done={done}>
      <p className="quiet">{t.storeMore}</p>
      <Drop to={upload}>
        <Button kind={done ? 'plain' : 'main'} isDisabled={upload.running || asked} onPress={() => void sample()}><FlaskConical className="icon" aria-hidden />{t.sample}</Button>
      </Drop>
      <Reason problem={problem} />
      <p className="quiet small">{t.sampleMore}</p>
      {connection && <><p>{t.orSend}</p><CopyLine text={dcmtk(connection).store} /></>}
    </Card>
  );
}
