import type { Connection } from '../../api/openapi';
import { useRoute } from '../../api/useRoute';
import { useSession } from '../../session';
import { lines, pkcs12, targetOf, trust } from '../devices/lines';

// The AE title that stands in the lines for a device: somebody puts their own there.
const title = 'CT1';

export function useConnection(): Connection | undefined {
  const { can } = useSession();
  return useRoute('GET /api/v1/connection', {}, { off: !can('devices') }).data;
}

// endpoint is where this archive accepts associations over TLS.
export function endpoint(c: Connection): { host: string; port: string } {
  return targetOf(c, title, 'certificate');
}

// dcmtk are the lines for the tools of DCMTK, docs/devices.md.
export function dcmtk(c: Connection) {
  const { host, port } = endpoint(c);
  const options = `+tls ${title}.key.pem ${title}.cert.pem +cf ca.pem -aet ${title} -aec ${c.aeTitle}`;
  return {
    key: `openssl req -x509 -newkey rsa:3072 -nodes -days 730 -subj /CN=${title} -keyout ${title}.key.pem -out ${title}.cert.pem`,
    echo: `echoscu ${options} ${host} ${port}`,
    store: `storescu ${options} +sd +r ${host} ${port} ./study`,
  };
}

// orthanc is what goes into orthanc.json, docs/devices.md.
export const orthanc = (c: Connection) => lines('orthanc', targetOf(c, 'ORTHANC', 'certificate'));

// dcm4che are the lines for its storescu and for the key stores that Java wants.
export function dcm4che(c: Connection) {
  const store = lines('dcm4che', targetOf(c, title, 'certificate')).split('\n').at(-1) ?? '';
  return { key: pkcs12(`${title}.key.pem`, `${title}.cert.pem`, `${title}.p12`), trust, store };
}
