import { useEffect, useState } from 'react';
import { useWords } from '../../language';
import { save } from '../../save';
import { emergency as own } from '../../words/emergency';
import { Button } from '../../ui/Button';
import { Loading } from '../../ui/State';
import { file, imagesMost, picture, text, type DataSet } from './dicomweb';
import './Emergency.css';

// Images shows those of a study one at a time, as the server draws them: the viewer cannot send a reason.
export function Images({ images, reason }: { images: DataSet[]; reason: string }) {
  const t = useWords(own);
  const [at, setAt] = useState(0);
  const [shown, show] = useState<string | 'none'>();
  const [refused, setRefused] = useState(false);
  const image = images[at];
  useEffect(() => {
    if (!image) return;
    const stop = new AbortController();
    let url: string | undefined;
    show(undefined);
    picture(image, reason, stop.signal).then(
      blob => { if (!stop.signal.aborted) show(url = URL.createObjectURL(blob)); },
      () => { if (!stop.signal.aborted) show('none'); },
    );
    return () => { stop.abort(); if (url) URL.revokeObjectURL(url); };
  }, [image, reason]);
  if (!image) return null;
  const step = (by: number) => setAt(Math.min(images.length - 1, Math.max(0, at + by)));
  const keep = () => { setRefused(false); file(image, reason).then(bytes => save(`${text(image, '00080018')}.dcm`, bytes), () => setRefused(true)); };
  return (
    <section className="panel stack emergency">
      <div className="row">
        <Button onPress={() => step(-1)} isDisabled={at === 0}>{t.earlier}</Button>
        <span role="status">{t.image(at + 1, images.length)}</span>
        <Button onPress={() => step(1)} isDisabled={at === images.length - 1}>{t.later}</Button>
        <Button onPress={keep}>{t.save}</Button>
        <b>{t.notDiagnostic}</b>
      </div>
      {images.length >= imagesMost && <p className="quiet small">{t.onlyMost(imagesMost)}</p>}
      {refused && <p className="reason" role="alert">{t.refused}</p>}
      {shown === undefined ? <Loading /> : shown === 'none' ? <p>{t.noPicture}</p> : <img src={shown} alt={t.image(at + 1, images.length)} />}
    </section>
  );
}
