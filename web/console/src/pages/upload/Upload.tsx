import { useWords } from '../../language';
import { address } from '../../route';
import { Drop } from '../../upload/Drop';
import { useUpload } from '../../upload/useUpload';
import { Link } from '../../ui/Link';
import { Page } from '../../ui/Page';
import { upload as own } from '../../words/upload';

// Upload stores files from this computer.
export default function Upload() {
  const t = useWords(own);
  const upload = useUpload();
  return (
    <Page title={t.title} more={t.more} actions={<Link to={address('studies')} kind="plain">{t.toList}</Link>}>
      <Drop to={upload} />
    </Page>
  );
}
