import { useState } from 'react';
import { useApi } from '../../api/Api';
import type { MadeLink } from '../../api/openapi';
import { call } from '../../api/routes';
import { useLanguage, useWords } from '../../language';
import { address } from '../../route';
import { common } from '../../words/common';
import { mail, study as own } from '../../words/study';
import type { Language } from '../../words/words';
import { Button } from '../../ui/Button';
import { Checkbox } from '../../ui/Checkbox';
import { Chips } from '../../ui/Chips';
import { CopyLine } from '../../ui/CopyLine';
import { Dialog, Ends } from '../../ui/Dialog';
import { Link } from '../../ui/Link';
import { Reason } from '../../ui/State';
import { TextField } from '../../ui/TextField';
import { useAct } from './useAct';

// Share makes a link by which somebody without an account sees one study for some days.
export function Share({ study, close }: { study: string; close: () => void }) {
  const t = useWords(own);
  const c = useWords(common);
  const api = useApi();
  const [days, setDays] = useState('14');
  const [password, setPassword] = useState(true);
  const [deidentified, setDeidentified] = useState(false);
  const [made, setMade] = useState<MadeLink>();
  const { busy, problem, act } = useAct();
  if (made) return <Made link={made} close={close} />;

  const make = () => act(async () => setMade(await call(api, 'POST /api/v1/shares', { body: { study, days: Number(days), password, deidentified } })));
  return (
    <Dialog title={t.share} onClose={close}>
      <p>{t.shareMore}</p>
      <form onSubmit={e => { e.preventDefault(); make(); }}>
        <TextField autoFocus isRequired label={t.days} value={days} onChange={setDays} inputMode="numeric" pattern="[1-9]|[1-8][0-9]|9[0-2]" maxLength={2} />
        <Checkbox isSelected={password} onChange={setPassword}>{t.withPassword}</Checkbox>
        <Checkbox isSelected={deidentified} onChange={setDeidentified}>{t.deidentified}</Checkbox>
        <Reason problem={problem} />
        <Ends><Button onPress={close}>{c.cancel}</Button><Button kind="main" type="submit" isDisabled={busy}>{t.makeLink}</Button></Ends>
      </form>
    </Dialog>
  );
}

// Made shows a link once: to be copied, photographed or sent. The password goes another way than the link.
function Made({ link, close }: { link: MadeLink; close: () => void }) {
  const t = useWords(own);
  const c = useWords(common);
  const { language, locale } = useLanguage();
  const [inLanguage, setLanguage] = useState<Language>(language);
  const day = new Intl.DateTimeFormat(inLanguage === language ? locale : inLanguage, { dateStyle: 'long' }).format(new Date(link.expires));
  return (
    <Dialog title={t.linkMade} onClose={close} wide>
      <p>{t.linkOnce}</p>
      <CopyLine text={link.link} />
      {link.password && <><span className="label">{t.passwordApart}</span><CopyLine text={link.password} /></>}
      <QR rows={link.qr} label={t.qr} />
      <Chips label={t.mailText} always options={[['de', 'Deutsch'], ['en', 'English']]} value={inLanguage} onChange={l => { if (l) setLanguage(l); }} />
      <CopyLine text={mail[inLanguage](link.link, day, link.hasPassword)} />
      <Ends><Link to={address('shares')}>{t.toShares}</Link><Button kind="main" autoFocus onPress={close}>{c.close}</Button></Ends>
    </Dialog>
  );
}

function QR({ rows, label }: { rows: string[]; label: string }) {
  const path = rows.flatMap((row, y) => [...row].map((x, i) => x === '1' ? `M${i} ${y}h1v1h-1z` : '')).join('');
  return <svg className="qr" role="img" aria-label={label} viewBox={`0 0 ${rows.length} ${rows.length}`} shapeRendering="crispEdges"><path d={path} fill="#000" /></svg>;
}
