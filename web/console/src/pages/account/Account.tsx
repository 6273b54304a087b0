import { useRoute } from '../../api/useRoute';
import { useWords } from '../../language';
import { account as own } from '../../words/account';
import { roles } from '../../words/roles';
import { named } from '../../words/words';
import { Page } from '../../ui/Page';
import { Loaded } from '../../ui/State';
import { Factors } from './Factors';
import { Passkeys } from './Passkeys';
import { Password } from './Password';
import { Sessions } from './Sessions';
import { Tokens } from './Tokens';

export default function Account() {
  const t = useWords(own);
  const r = useWords(roles);
  const session = useRoute('GET /api/v1/session');
  return (
    <Page title={t.title} more={session.data?.role && t.role(named(r, session.data.role))}>
      <Sessions />
      <Loaded from={session}>{s => <>
        <Factors factors={s.factors} changed={session.reload} />
        <Passkeys changed={session.reload} />
        <Password method={s.method} />
      </>}</Loaded>
      <Tokens />
    </Page>
  );
}
