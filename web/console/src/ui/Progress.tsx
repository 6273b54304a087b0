import { Label, ProgressBar } from 'react-aria-components';
import './Progress.css';

export function Progress({ label, done, of }: { label: string; done: number; of: number }) {
  return (
    <ProgressBar className="progress" value={done} maxValue={Math.max(of, 1)}>
      {({ percentage, valueText }) => <>
        <span className="words"><Label>{label}</Label><span>{valueText}</span></span>
        <span className="bar"><i style={{ width: `${percentage ?? 0}%` }} /></span>
      </>}
    </ProgressBar>
  );
}
