import type { ReactNode } from 'react';
import { X } from 'lucide-react';
import { Dialog as Aria, Heading, Modal, ModalOverlay } from 'react-aria-components';
import { useWords } from '../language';
import { common } from '../words/common';
import { Button } from './Button';
import './Side.css';

// Side shows more of one thing beside the list that it is from; Escape, the cross and a click on the list close it.
export function Side({ title, onClose, children }: { title: ReactNode; onClose: () => void; children: ReactNode }) {
  const t = useWords(common);
  return (
    <ModalOverlay className="sideveil" isOpen isDismissable onOpenChange={open => { if (!open) onClose(); }}>
      <Modal className="side">
        <Aria className="sidebody">
          <header className="sidehead"><Heading slot="title" level={2}>{title}</Heading><Button kind="icon" label={t.close} onPress={onClose}><X className="icon" aria-hidden /></Button></header>
          {children}
        </Aria>
      </Modal>
    </ModalOverlay>
  );
}
