import { useRoute } from '../../api/useRoute';
import { useStored } from '../../api/useStored';
import { useWords } from '../../language';
import { address } from '../../route';
import { first as own } from '../../words/first';
import { Link } from '../../ui/Link';
import { Page } from '../../ui/Page';
import { Before } from './Before';
import { ConnectDevice } from './ConnectDevice';
import { LookAround } from './LookAround';
import { StoreStudy } from './StoreStudy';
import './First.css';

// First is what somebody does who administrates an archive in which nothing is: three steps, in any order, that
// are done when the server says so.
export default function First() {
  const t = useWords(own);
  const stored = useStored();
  const scans = useRoute('GET /api/v1/scans', {}, { on: ['scans'] });
  const devices = useRoute('GET /api/v1/devices', {}, { on: ['devices'] });
  const assets = useRoute('GET /api/v1/assets', { query: { limit: '500' } }, { on: ['scans'] }); // scans are forgotten when the server is started anew, what they found is not
  const looked = scans.data?.items.some(s => s.state === 'done') || assets.data?.items.some(a => a.sources.some(s => s.source === 'scan'));
  const connected = devices.data && devices.data.items.length > 0;
  const left = [stored, looked, connected].filter(x => !x).length;

  return (
    <Page title={t.title} sentence={left === 0 ? t.allDone : t.left(left)} more={t.more} actions={<Link to={address('', { first: 'later' })} kind={left === 0 ? 'main' : 'plain'}>{left === 0 ? t.toStart : t.later}</Link>}>
      <div className="steps">
        <StoreStudy done={stored} />
        <LookAround done={looked} scans={scans} />
        <ConnectDevice done={connected} />
      </div>
      <Before />
    </Page>
  );
}
