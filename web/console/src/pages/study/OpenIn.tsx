import { useState } from 'react';
import { useApi } from '../../api/Api';
import type { OpenedStudy } from '../../api/openapi';
import { call } from '../../api/routes';
import { useWords } from '../../language';
import { common } from '../../words/common';
import { study as own } from '../../words/study';
import { Button } from '../../ui/Button';
import { CopyLine } from '../../ui/CopyLine';
import { Dialog, Ends } from '../../ui/Dialog';
import { Link } from '../../ui/Link';
import { Reason } from '../../ui/State';
import { Time } from '../../ui/Time';
import { useAct } from './useAct';

// OpenIn makes a token that reads this study for ten minutes, and starts a viewer on the desktop with it.
export function OpenIn({ study, close }: { study: string; close: () => void }) {
  const t = useWords(own);
  const c = useWords(common);
  const api = useApi();
  const [made, setMade] = useState<OpenedStudy>();
  const { busy, problem, act } = useAct();
  return (
    <Dialog title={t.openIn} onClose={close}>
      <p>{t.openMore}</p>
      {made && <>
        <div className="row"><Link to={made.weasis} kind="main">Weasis</Link><Link to={made.slicer} kind="plain">3D Slicer</Link><Link to={made.radiant} kind="plain">RadiAnt</Link></div>
        <p className="quiet">{t.openOthers} <Time at={made.expires} /></p>
        <CopyLine text={made.dicomWeb} /><CopyLine text={made.token} />
      </>}
      <Reason problem={problem} />
      <Ends>
        <Button key={made ? 'close' : 'cancel'} autoFocus={made !== undefined} onPress={close}>{made ? c.close : c.cancel}</Button>
        {!made && <Button kind="main" isDisabled={busy} onPress={() => act(async () => setMade(await call(api, 'POST /api/v1/studies/{uid}/open', { path: { uid: study } })))}>{t.openNow}</Button>}
      </Ends>
    </Dialog>
  );
}
