import type { ReactNode } from 'react';
import { FolderOpen, FilePlus2 } from 'lucide-react';
import { DropZone, FileTrigger, isDirectoryDropItem, isFileDropItem, Text, type DropItem } from 'react-aria-components';
import { useWords } from '../language';
import { upload as own } from '../words/upload';
import { named } from '../words/words';
import { useReason } from '../words/problems';
import { Button } from '../ui/Button';
import { Progress } from '../ui/Progress';
import { Table } from '../ui/Table';
import type { useUpload, Row } from './useUpload';
import './Drop.css';

// filesOf are the files of what was dropped, of folders all below them.
async function* filesOf(items: Iterable<DropItem> | AsyncIterable<DropItem>): AsyncGenerator<File> {
  for await (const item of items) {
    if (isFileDropItem(item)) yield await item.getFile();
    else if (isDirectoryDropItem(item)) yield* filesOf(item.getEntries());
  }
}

// Drop takes files, folders and ZIP files, by dropping them or by a button, and shows what becomes of each.
export function Drop({ to, children }: { to: ReturnType<typeof useUpload>; children?: ReactNode }) {
  const t = useWords(own);
  const picked = (list: FileList | null) => { if (list && list.length > 0) to.start([...list]); };
  return (
    <div className="stack">
      <DropZone className="dropzone" aria-label={t.drop} isDisabled={to.running} onDrop={e => to.start(filesOf(e.items))}>
        <Text slot="label">{t.drop}</Text>
        <div className="row">
          <FileTrigger allowsMultiple onSelect={picked}><Button isDisabled={to.running}><FilePlus2 className="icon" aria-hidden />{t.files}</Button></FileTrigger>
          <FileTrigger acceptDirectory onSelect={picked}><Button isDisabled={to.running}><FolderOpen className="icon" aria-hidden />{t.folder}</Button></FileTrigger>
          {children}
        </div>
      </DropZone>
      <Outcome of={to} />
    </div>
  );
}

// Outcome is how far an upload is, and what became of the files.
export function Outcome({ of }: { of: ReturnType<typeof useUpload> }) {
  const t = useWords(own);
  const reason = useReason(of.problem);
  if (of.found === 0 && !of.running && !of.problem && !of.unreadable) return null;
  return (
    <>
      {of.running && <Progress label={t.storing} done={of.stored + of.refused + of.other} of={Math.max(of.found, 1)} />}
      <p role="status"><b>{t.counts(of.stored)}</b>{of.refused > 0 && ` ${t.refused(of.refused)}`}{of.other > 0 && ` ${t.other(of.other)}`}</p>
      {(of.problem || of.unreadable) && <p className="reason" role="alert">{of.unreadable ? t.unreadable : reason} {t.again}</p>}
      {of.running && <div className="row"><Button onPress={() => of.pause(!of.paused)}>{of.paused ? t.goOn : t.pause}</Button><Button onPress={of.end}>{t.stop}</Button></div>}
      {of.rows.length > 0 && <details className="uploaded"><summary>{t.each}</summary>
        <Table<Row> label={t.each} rows={of.rows} id={r => r.id} columns={[
          { id: 'name', name: t.file, head: true, cell: r => <span className="mono">{r.name}</span> },
          { id: 'is', name: t.outcome, cell: r => <>{named(t.is, r.is)}{r.code && r.is === 'refused' && <div className="quiet small">{named(t.codes, r.code)}</div>}</> },
        ]} />
      </details>}
    </>
  );
}
