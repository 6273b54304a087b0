import { useEffect, useState } from 'react';
import { useWords } from '../../language';
import { first as own } from '../../words/first';

// Authority is the certificate that a device has to trust, as a file.
export function Authority({ pem }: { pem: string }) {
  const t = useWords(own);
  const [at, set] = useState<string>();
  useEffect(() => {
    const url = URL.createObjectURL(new Blob([pem], { type: 'application/x-pem-file' }));
    set(url);
    return () => URL.revokeObjectURL(url);
  }, [pem]);
  return <p>{t.trustFirst} {at && <a href={at} download="ca.pem">ca.pem</a>}</p>;
}
