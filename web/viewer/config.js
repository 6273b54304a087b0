// The settings of OHIF: one source, which is this server, and no list of its own.
const root = '/dicom-web';

window.config = {
  routerBasename: '/viewer',
  extensions: [],
  modes: [],
  customizationService: {},
  showStudyList: false,
  investigationalUseDialog: { option: 'never' },
  whiteLabeling: {
    createLogoComponentFn: React => React.createElement('a', { href: '/', className: 'text-white text-lg' }, 'Collimator'),
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
