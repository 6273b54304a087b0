import type { Connection } from '../../api/openapi';
import { useRoute } from '../../api/useRoute';
import { useSession } from '../../session';

// The AE title that stands in the lines for a device: somebody puts their own there.
const title = 'CT1';

export function useConnection(): Connection | undefined {
  const { can } = useSession();
  return useRoute('GET /api/v1/connection', {}, { off: !can('devices') }).data;
}

// endpoint is where this archive accepts associations over TLS: an address that stands for all is the first name
// by which it is known.
export function endpoint(c: Connection): { host: string; port: string } {
  const at = c.tls.lastIndexOf(':');
  const host = c.tls.slice(0, at).replace(/^\[|\]$/g, '');
  return { host: ['', '0.0.0.0', '::'].includes(host) ? c.hosts[0] ?? location.hostname : host, port: c.tls.slice(at + 1) };
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
export function orthanc(c: Connection): string {
  const { host, port } = endpoint(c);
  return `"DicomAet" : "ORTHANC",
"DicomModalities" : {
  "collimator" : { "AET" : "${c.aeTitle}", "Host" : "${host}", "Port" : ${port}, "UseDicomTls" : true }
},
"DicomTlsCertificate" : "/etc/orthanc/ORTHANC.cert.pem",
"DicomTlsPrivateKey" : "/etc/orthanc/ORTHANC.key.pem",
"DicomTlsTrustedCertificates" : "/etc/orthanc/ca.pem"`;
}

// dcm4che are the lines for its storescu and for the key stores that Java wants.
export function dcm4che(c: Connection) {
  const { host, port } = endpoint(c);
  return {
    key: `openssl pkcs12 -export -inkey ${title}.key.pem -in ${title}.cert.pem -name ${title} -out ${title}.p12`,
    trust: `keytool -importcert -noprompt -alias collimator -file ca.pem -keystore trust.p12 -storetype PKCS12 -storepass changeit`,
    store: `storescu -b ${title} -c ${c.aeTitle}@${host}:${port} --tls12 --key-store ${title}.p12 --key-store-type PKCS12 --key-store-pass PASSWORD --trust-store trust.p12 --trust-store-type PKCS12 --trust-store-pass changeit ./study`,
  };
}
