import type { Connection } from '../../api/openapi';

// Way is how a device comes in.
export type Way = 'certificate' | 'nocert' | 'plain';

// Target is what a device calls.
export interface Target { own: string; called: string; host: string; port: string; way: Way }

// fileName is the beginning of the names of the files of a device, as 'collimator device add' has it.
export const fileName = (aeTitle: string) => aeTitle.replace(/[^A-Za-z0-9_.-]/g, '_');

// targetOf is where a device finds the archive, or a route of the gate: by the name under which the browser reached
// it, where the certificate has that, else by the first name in it.
export function targetOf(c: Connection, own: string, way: Way, called = c.aeTitle): Target {
  const at = way === 'plain' ? c.plain ?? '' : c.tls;
  const bound = at.slice(0, at.lastIndexOf(':')).replace(/^\[|\]$/g, '');
  const everywhere = bound === '' || bound === '0.0.0.0' || bound === '::';
  const host = way === 'plain' && !everywhere ? bound : c.hosts.includes(location.hostname) ? location.hostname : c.hosts[0] ?? location.hostname;
  return { own, called, host, port: at.slice(at.lastIndexOf(':') + 1), way };
}

export const softwares = ['dcmtk', 'orthanc', 'dcm4chee', 'dcm4che', 'pynetdicom'] as const;
export type Software = typeof softwares[number];

export const softwareNames: Record<Software, string> = {
  dcmtk: 'DCMTK', orthanc: 'Orthanc', dcm4chee: 'dcm4chee-arc', dcm4che: 'dcm4che tools', pynetdicom: 'pynetdicom',
};

// lines are what makes a software call the target, with the files under the names by which they are saved.
export function lines(software: Software, t: Target): string {
  const [key, cert] = [`${fileName(t.own)}.key.pem`, `${fileName(t.own)}.cert.pem`];
  const p12 = `${fileName(t.own)}.p12`;
  switch (software) {
    case 'dcmtk': {
      const tls = { certificate: `+tls ${key} ${cert} +cf ca.pem `, nocert: '+tla +cf ca.pem ', plain: '' }[t.way];
      return `echoscu  ${tls}-aet ${t.own} -aec ${t.called} ${t.host} ${t.port}\nstorescu ${tls}-aet ${t.own} -aec ${t.called} ${t.host} ${t.port} image.dcm`;
    }
    case 'orthanc': {
      const files = { certificate: `"DicomTlsEnabled" : true,\n"DicomTlsCertificate" : "${cert}",\n"DicomTlsPrivateKey" : "${key}",\n"DicomTlsTrustedCertificates" : "ca.pem",\n`, nocert: '"DicomTlsTrustedCertificates" : "ca.pem",\n', plain: '' }[t.way];
      return `"DicomAet" : "${t.own}",\n${files}"DicomModalities" : {\n  "collimator" : { "AET" : "${t.called}", "Host" : "${t.host}", "Port" : ${t.port}, "UseDicomTls" : ${t.way !== 'plain'} }\n}`;
    }
    case 'dcm4chee': {
      const stores = t.way === 'plain' ? '' : stored(t, key, cert, p12);
      return `${stores}AE title of its network AE: ${t.own}\nRemote AE: ${t.called}, host ${t.host}, port ${t.port}${t.way === 'plain' ? '' : ', TLS protocols TLSv1.2 TLSv1.3'}`;
    }
    case 'dcm4che': {
      const tls = { certificate: ` --tls12 --key-store ${p12} --key-store-type PKCS12 --key-store-pass PASSWORD --trust-store ca.p12 --trust-store-type PKCS12 --trust-store-pass PASSWORD`, nocert: ' --tls12 --trust-store ca.p12 --trust-store-type PKCS12 --trust-store-pass PASSWORD', plain: '' }[t.way];
      return `${t.way === 'plain' ? '' : stored(t, key, cert, p12)}storescu -b ${t.own} -c ${t.called}@${t.host}:${t.port}${tls} image.dcm`;
    }
    case 'pynetdicom': {
      const tls = t.way === 'plain' ? '' : `import ssl\nc = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile="ca.pem")\n${t.way === 'certificate' ? `c.load_cert_chain("${cert}", "${key}")\n` : ''}`;
      return `${tls}ae = AE(ae_title="${t.own}")\nassoc = ae.associate("${t.host}", ${t.port}, ae_title="${t.called}"${t.way === 'plain' ? '' : `, tls_args=(c, "${t.host}")`})`;
    }
  }
}

// stored makes the key stores that Java reads; both commands ask for a password.
function stored(t: Target, key: string, cert: string, p12: string): string {
  return t.way === 'certificate' ? `${pkcs12(key, cert, p12)}\n${trust}\n` : `${trust}\n`;
}

// trust is the line that makes the authority one that Java trusts. It asks for a password.
export const trust = 'keytool -importcert -noprompt -alias collimator -file ca.pem -keystore ca.p12 -storetype PKCS12';

// pkcs12 is the line that puts key and certificate into one file.
export const pkcs12 = (key: string, cert: string, p12: string) => `openssl pkcs12 -export -inkey ${key} -in ${cert} -certfile ca.pem -out ${p12}`;
