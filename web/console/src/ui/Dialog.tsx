import type { ReactNode } from 'react';
import { Dialog as Aria, Heading, Modal, ModalOverlay } from 'react-aria-components';
import './Dialog.css';

// Dialog lies over the page as long as it is there: whoever opens it takes it away when onClose is called. Without
// onClose only one of its buttons ends it. alert: a screen reader reads all of it at once.
export function Dialog({ title, onClose, children, alert, wide }: {
  title: string;
  onClose?: (() => void) | undefined;
  children: ReactNode;
  alert?: boolean;
  wide?: boolean;
}) {
  return (
    <ModalOverlay className="veil" isOpen isDismissable={false} isKeyboardDismissDisabled={!onClose} onOpenChange={open => { if (!open) onClose?.(); }}>
      <Modal className="modal" {...(wide && { 'data-wide': true })}>
        <Aria className="dialog" role={alert ? 'alertdialog' : 'dialog'}>
          <Heading slot="title" level={2}>{title}</Heading>
          {children}
        </Aria>
      </Modal>
    </ModalOverlay>
  );
}

// Ends are the buttons of a dialog, the one that goes on last.
export const Ends = ({ children }: { children: ReactNode }) => <div className="ends">{children}</div>;
