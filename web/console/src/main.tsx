import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { RouterProvider } from 'react-aria-components';
import './ui/base.css';
import { LanguageProvider } from './language';
import { comeBack, listen, onLeave } from './leave';
import { navigate } from './route';
import { SessionProvider } from './session';
import { Shell } from './shell/Shell';
import { StatusProvider } from './ui/Status';

comeBack();
const at = document.getElementById('root');
if (at) {
  const page = createRoot(at);
  onLeave(() => { page.unmount(); document.body.replaceChildren(); document.title = 'Collimator'; });
  listen();
  page.render(
    <StrictMode>
      <LanguageProvider>
        <RouterProvider navigate={navigate}>
          <StatusProvider>
            <SessionProvider>
              <Shell />
            </SessionProvider>
          </StatusProvider>
        </RouterProvider>
      </LanguageProvider>
    </StrictMode>,
  );
}
