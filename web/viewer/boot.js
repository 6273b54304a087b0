// What OHIF expects to find before it begins.
window.PUBLIC_URL = '/viewer/';
window.browserImportFunction = name => import(name);
console.time('scriptToView');
try {
  localStorage.setItem('shownTours', JSON.stringify(['basicViewerTour']));
} catch {
  // A browser that keeps nothing shows the tour each time.
}
