import type { DeviceFiles } from '../../api/openapi';
import { useWords } from '../../language';
import { save, zip } from '../../save';
import { devices as own } from '../../words/devices';
import { once } from '../../words/once';
import { Button } from '../../ui/Button';
import { CopyLine } from '../../ui/CopyLine';
import { fileName, pkcs12 } from './lines';

// Files are those that a device needs, to be saved one by one or together. The key is in them.
export function Files({ aeTitle, files }: { aeTitle: string; files: DeviceFiles }) {
  const t = useWords(own);
  const o = useWords(once);
  const name = fileName(aeTitle);
  const all = { [`${name}.key.pem`]: files.key, [`${name}.cert.pem`]: files.certificate, 'ca.pem': files.authority };
  const what = [t.keyFile, t.certFile, t.caFile];
  return (
    <section className="stack panel">
      <h2>{t.files}</h2>
      <p className="quiet">{t.filesMore}</p>
      <ul className="stack">
        {Object.entries(all).map(([file, text], i) => (
          <li key={file} className="row"><Button onPress={() => save(file, text, 'application/x-pem-file')}>{o.saveFile(file)}</Button><span className="quiet small">{what[i]}</span></li>
        ))}
      </ul>
      <div className="row"><Button kind="main" onPress={() => save(`${name}.zip`, zip(all), 'application/zip')}>{o.saveAll}</Button></div>
      <p className="quiet small">{t.p12}</p>
      <CopyLine text={pkcs12(`${name}.key.pem`, `${name}.cert.pem`, `${name}.p12`)} />
    </section>
  );
}
