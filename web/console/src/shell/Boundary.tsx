import { Component, type ReactNode } from 'react';
import { useWords } from '../language';
import { shell } from '../words/shell';
import { Button } from '../ui/Button';
import { Empty } from '../ui/State';

// Boundary holds back what is wrong in one page: the way to the others stays.
export class Boundary extends Component<{ children: ReactNode }, { broken: boolean }> {
  override state = { broken: false };

  static getDerivedStateFromError() { return { broken: true }; }

  override render() { return this.state.broken ? <Broken /> : this.props.children; }
}

function Broken() {
  const t = useWords(shell);
  return <div role="alert"><Empty title={t.broken} next={<Button kind="main" onPress={() => location.reload()}>{t.loadAgain}</Button>}>{t.brokenMore}</Empty></div>;
}
