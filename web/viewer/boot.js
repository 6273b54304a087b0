// What OHIF expects to find before it begins.
window.PUBLIC_URL = '/viewer/';
window.browserImportFunction = name => import(name);
console.time('scriptToView');
try {
  localStorage.setItem('shownTours', JSON.stringify(['basicViewerTour']));
} catch {
  // A browser that keeps nothing shows the tour each time.
}
// Who signs out in the console has left here too; and who works here is not away there.
const session = new BroadcastChannel('collimator-session');
session.onmessage = e => {
  if (e.data !== 'ended') return;
  document.documentElement.replaceChildren();
  location.replace('/setup/');
};
let told = 0;
for (const event of ['pointerdown', 'pointermove', 'keydown', 'wheel']) {
  addEventListener(event, () => {
    if (Date.now() - told < 10000) return;
    told = Date.now();
    session.postMessage('active');
  }, { capture: true, passive: true });
}
