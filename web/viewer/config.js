// The settings of OHIF: one source, which is this server, and no list of its own.
const root = '/dicom-web';

// The pages before it say the same, in German where the browser names it first of the two.
const language = navigator.languages.map(tag => tag.slice(0, 2).toLowerCase()).find(base => base === 'de' || base === 'en');
const notice = language === 'de' ? 'Nicht zur Befundung' : 'Not for diagnostic use';

// What the server cannot turn into the form that the viewer asks for is a black pane there: say so, and where it is
// said why. The light page has the sentence for each object.
const refused = language === 'de'
  ? ['Ein Objekt kann hier nicht gezeigt werden: Der Server kann es nicht in die Form bringen, die der Betrachter braucht. ', 'Was es ist und warum']
  : ['An object cannot be shown here: the server cannot turn it into the form that the viewer needs. ', 'What it is, and why'];

const sayRefused = () => {
  const study = new URLSearchParams(location.search).get('StudyInstanceUIDs');
  if (document.getElementById('refused') || !study) {
    return;
  }

  const box = document.createElement('div');
  box.id = 'refused';
  box.setAttribute('role', 'alert');
  Object.assign(box.style, {
    position: 'fixed', left: '1rem', bottom: '1rem', maxWidth: '28rem', padding: '.6rem 1rem', zIndex: 1000,
    background: '#16191d', color: '#ffd479', border: '1px solid #ffd479', borderRadius: '.3rem',
  });
  const link = document.createElement('a');
  link.href = '/view/?study=' + encodeURIComponent(study.split(',')[0]);
  link.textContent = refused[1];
  link.style.color = '#7db7ff';
  box.append(refused[0], link);
  document.body.append(box);
};

window.config = {
  routerBasename: '/viewer',
  extensions: [],
  modes: [],
  customizationService: {},
  showStudyList: false,
  // The dialog of OHIF covers tools and can be closed for good: the notice stands in the head instead.
  investigationalUseDialog: { option: 'never' },
  whiteLabeling: {
    createLogoComponentFn: React => React.createElement('div', { style: { lineHeight: 1.2, whiteSpace: 'nowrap' } },
      React.createElement('a', { href: '/', className: 'text-white text-lg' }, 'Collimator'),
      React.createElement('div', { id: 'notice', role: 'note', style: { color: '#ffd479', fontSize: '12px', pointerEvents: 'none' } }, notice)),
  },
  // Who is not signed in any more is led to where one does, and back. The address holds UIDs alone.
  httpErrorHandler: error => {
    if (error.status === 401) {
      location.assign('/setup/?to=' + encodeURIComponent(location.pathname + location.search));
    } else if (error.status === 406) {
      sayRefused();
    }
  },
  maxNumberOfWebWorkers: 3,
  showCPUFallbackMessage: true,
  showLoadingIndicator: true,
  strictZSpacingForVolumeViewport: true,
  groupEnabledModesFirst: true,
  maxNumRequests: { interaction: 100, thumbnail: 75, prefetch: 25 },
  defaultDataSourceName: 'collimator',
  dataSources: [{
    namespace: '@ohif/extension-default.dataSourcesModule.dicomweb',
    sourceName: 'collimator',
    configuration: {
      friendlyName: 'Collimator',
      name: 'collimator',
      qidoRoot: root,
      wadoRoot: root,
      wadoUriRoot: root,
      qidoSupportsIncludeField: true,
      supportsReject: false,
      supportsFuzzyMatching: true,
      supportsWildcard: true,
      imageRendering: 'wadors',
      thumbnailRendering: 'wadors',
      enableStudyLazyLoad: true,
      dicomUploadEnabled: false,
      singlepart: 'pdf,video',
      bulkDataURI: { enabled: true },
      omitQuotationForMultipartRequest: true,
    },
  }],
};
