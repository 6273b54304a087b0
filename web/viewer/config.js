// The settings of OHIF: one source, which is this server, and no list of its own.
const root = '/dicom-web';

// The pages before it say the same, in German where the browser names it first of the two.
const language = navigator.languages.map(tag => tag.slice(0, 2).toLowerCase()).find(base => base === 'de' || base === 'en');
const notice = language === 'de' ? 'Nicht zur Befundung' : 'Not for diagnostic use';

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
