import { useState } from 'react';
import { useApi } from '../../api/Api';
import { addressOf, call } from '../../api/routes';
import { useAct } from '../../api/useAct';
import { useRoute } from '../../api/useRoute';
import { useWords } from '../../language';
import { address, navigate } from '../../route';
import { save } from '../../save';
import { quarantine as own } from '../../words/quarantine';
import { named } from '../../words/words';
import { Button } from '../../ui/Button';
import { Confirm } from '../../ui/Confirm';
import { CopyLine } from '../../ui/CopyLine';
import { Facts } from '../../ui/Facts';
import { Link } from '../../ui/Link';
import { Bytes } from '../../ui/Numbers';
import { Page } from '../../ui/Page';
import { Loaded, Reason } from '../../ui/State';
import { Time } from '../../ui/Time';

const atRoute = (reason: string) => reason.endsWith('-at-route');

// Entry is one that is held back: why, what was found in it, from whom. It is never drawn.
export function Entry({ id }: { id: string }) {
  const t = useWords(own);
  const api = useApi();
  const entry = useRoute('GET /api/v1/quarantine/{id}', { path: { id } });
  const { act, busy, problem } = useAct();
  const [open, setOpen] = useState<'release' | 'destroy'>();
  const path = { path: { id } };
  const file = () => void act(async () => save(`held-${id}.dcm`, await api.get<Blob>(addressOf('GET /api/v1/quarantine/{id}/file', path), { blob: true })));
  const gone = (what: Promise<unknown>) => what.then(() => navigate(address('quarantine')));
  return (
    <Page title={t.number(id)} actions={<>
      <Link to={address('quarantine')} kind="plain">{t.back}</Link>
      {entry.data && <>
        <Button onPress={file} isDisabled={busy}>{t.file}</Button>
        <Button kind="main" onPress={() => setOpen('release')}>{t.release}</Button>
        <Button kind="danger" onPress={() => setOpen('destroy')}>{t.destroy}</Button>
      </>}
    </>}>
      <Reason problem={problem} />
      <Loaded from={entry}>{h => <>
        <section className="panel stack">
          <h2>{named(t.reasons, h.reason)}</h2>
          <Facts of={[
            [t.from, h.from || '–'], [t.by, h.by], [t.address, <span className="mono">{h.address}</span>], ...(h.route ? [[t.route, h.route] as const] : []),
            [t.received, <Time at={h.received} />], [t.last, <><Time at={h.lastReceived} /> ({h.times})</>], [t.size, <Bytes of={h.size} />],
            [t.sopClass, <span className="mono">{h.sopClassUID}</span>], [t.instance, <span className="mono">{h.sopInstanceUID}</span>], [t.study, <span className="mono">{h.studyInstanceUID}</span>],
          ]} />
        </section>
        <section className="panel stack">
          <h2>{t.found}</h2>
          {h.found.length === 0 ? <p>{t.nothingFound}</p> : <ul className="stack">{h.found.map(f => <li key={f} className="reason">{f}</li>)}</ul>}
          <p className="quiet small">{t.notDrawn}</p>
          <b>{t.digest}</b><CopyLine text={h.sha256} />
          {h.storedSHA256 && <><b>{t.stored}</b><CopyLine text={h.storedSHA256} /></>}
        </section>
        {open === 'release' && <Confirm title={t.releaseTitle} go={t.release} done={t.released} close={() => setOpen(undefined)} act={() => gone(call(api, 'POST /api/v1/quarantine/{id}/release', path))}><p>{atRoute(h.reason) ? t.releaseRoute : t.releaseMore}</p></Confirm>}
        {open === 'destroy' && <Confirm title={t.destroyTitle} go={t.destroy} done={t.destroyed} close={() => setOpen(undefined)} act={() => gone(call(api, 'DELETE /api/v1/quarantine/{id}', path))}><p>{t.destroyMore}</p></Confirm>}
      </>}</Loaded>
    </Page>
  );
}
