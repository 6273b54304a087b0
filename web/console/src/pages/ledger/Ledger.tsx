import { useRoute } from '../../api/useRoute';
import { useLanguage, useWords } from '../../language';
import { save } from '../../save';
import { ledger as own } from '../../words/ledger';
import { Button } from '../../ui/Button';
import { CopyLine } from '../../ui/CopyLine';
import { Page } from '../../ui/Page';
import { Empty, Loaded } from '../../ui/State';
import { Verification } from './Verification';

// Ledger is the log that proves what was recorded: its checkpoint, and whether all is as it was.
export default function Ledger() {
  const t = useWords(own);
  const { locale } = useLanguage();
  const state = useRoute('GET /api/v1/ledger');
  const count = new Intl.NumberFormat(locale);
  return (
    <Page title={t.title} sentence={state.data && state.data.leaves > 0 ? t.leaves(count.format(state.data.leaves)) : undefined} more={t.more}>
      <Verification total={state.data?.leaves} />
      <Loaded from={state}>{l => l.leaves === 0 ? <Empty title={t.empty}>{t.emptyMore}</Empty> : (
        <section className="panel stack">
          <h2>{t.checkpoint}</h2>
          <p className="quiet">{t.checkpointMore}</p>
          <CopyLine text={l.checkpoint} />
          <div className="row"><Button onPress={() => save(`checkpoint-${l.leaves}.txt`, l.checkpoint, 'text/plain')}>{t.saveCheckpoint}</Button></div>
          <h3>{t.key}</h3>
          <CopyLine text={l.key} />
        </section>
      )}</Loaded>
    </Page>
  );
}
