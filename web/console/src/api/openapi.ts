// Written by tools/apitypes of docs/openapi.json; make web does it.

export interface Acceptance {
  reason: string;
  until: string;
}

export interface Accepted {
  advisories?: Array<string>;
  by: string;
  check: string;
  evidence?: Array<Evidence>;
  fix: Fix;
  gains?: Array<string>;
  id: string;
  place: Place;
  possible?: boolean;
  severity: string;
  text?: string;
  title: string;
  until: string;
  why: string;
}

export interface Access {
  address?: string;
  did?: string;
  door?: string;
  event: string;
  instances?: number;
  kind?: string;
  outcome: number;
  person?: string;
  principal: string;
  reason?: string;
  rule?: string;
  sequence: number;
  study?: string;
  time: string;
}

export interface AccessList {
  items: Array<Access>;
  next?: number;
}

export interface AccessToken {
  allow: Array<string>;
  created: string;
  expires: string;
  id: string;
  madeByOperator: boolean;
  owner: string;
  revoked?: string;
  studies?: Array<string>;
}

export interface AccessTokenList {
  items: Array<AccessToken>;
  next?: number;
}

export interface Advice {
  asks: string;
  stands: string;
}

export interface Advisory {
  current?: string;
  fix?: string;
  id: string;
  initial?: string;
  rules: Array<Rule>;
  source: string;
  title: string;
  update: string;
}

export interface AdvisoryList {
  items: Array<Advisory>;
  next?: number;
}

export interface Answer {
  answer: string;
  question: string;
}

export interface ApiStudyGrant {
  study: string;
}

export interface Approval {
  address?: string;
  allow?: Array<string>;
  fingerprint?: string;
  listen?: string;
  moveTo?: Array<string>;
  noCertificateUntil?: string;
  plaintextUntil?: string;
}

export interface AssetAdvisories {
  answer: string;
  matches: Array<Settled>;
  outside: Array<Match>;
  questions: Array<string>;
}

export interface AssetDetail {
  addresses?: Array<string>;
  aeTitles?: Array<string>;
  confidence: number;
  conflicts?: Array<string>;
  firstSeen: string;
  hostname?: string;
  id: string;
  implementations?: Array<string>;
  issues: Array<InventoryIssue>;
  lastSeen: string;
  location?: string;
  macs?: Array<string>;
  name?: string;
  note?: string;
  owner?: string;
  ports?: Array<number>;
  product?: string;
  refused?: boolean;
  serial?: string;
  sources: Array<InventorySeen>;
  vendor?: string;
  version?: string;
  warning: Warning;
  zone?: string;
}

export interface AssetList {
  items: Array<InventoryAsset>;
  next?: number;
}

export interface Backup {
  last?: string;
  recoveryKeyKept: boolean;
  rehearsed?: string;
  to?: string;
}

export interface Because {
  reason: string;
}

export interface CVE {
  exploited?: boolean;
  id: string;
  score?: number;
}

export interface Certificate {
  fingerprint: string;
  notAfter: string;
  subject: string;
  weakness?: string;
}

export interface ChangeList {
  items: Array<InventoryChange>;
  next?: number;
}

export interface Connection {
  aeTitle: string;
  authority: string;
  authoritySHA256: string;
  dicomweb: string;
  hosts: Array<string>;
  plain?: string;
  tls: string;
}

export interface CountedUID {
  count: number;
  name?: string;
  uid: string;
}

export interface DeletedStudy {
  accessEnded: number;
  held: number;
  instances: number;
}

export interface Destination {
  aeTitle: string;
}

export interface DestinationList {
  items: Array<Destination>;
  next?: number;
}

export interface Device {
  address?: string;
  aeTitle: string;
  allow: Array<string>;
  certificates?: Array<Certificate>;
  created: string;
  listen?: string;
  moveTo?: Array<string>;
  noCertificateUntil?: string;
  plaintextUntil?: string;
}

export interface DeviceChange {
  address?: string;
  allow?: Array<string>;
  listen?: string;
  moveTo?: Array<string>;
  noCertificateUntil?: string;
  plaintextUntil?: string;
}

export interface DeviceDetail {
  address?: string;
  aeTitle: string;
  allow: Array<string>;
  certificates?: Array<Certificate>;
  created: string;
  lastSeen?: string;
  listen?: string;
  moveTo?: Array<string>;
  noCertificateUntil?: string;
  plaintextUntil?: string;
  stored: Stored;
}

export interface DeviceFiles {
  authority: string;
  certificate: string;
  key: string;
}

export interface DeviceList {
  items: Array<Device>;
  next?: number;
}

export interface Disk {
  free: number;
  total: number;
}

export interface Door {
  address?: string;
  claimed?: string;
  elsewhere?: boolean;
  ended?: string;
  for: string;
  number: number;
  opened: string;
  openedBy: string;
  route: string;
  target: string;
  until: string;
  why?: string;
}

export interface DoorCode {
  code: string;
}

export interface DoorList {
  items: Array<Door>;
  next?: number;
}

export interface DoorOrder {
  elsewhere?: string;
  for: string;
  minutes?: number;
  route?: string;
  to?: string;
}

export interface Echo {
  answered: boolean;
  milliseconds: number;
  why?: string;
}

export interface Ending {
  of: string;
  until: string;
  what: string;
}

export interface Enforcing {
  anyway?: boolean;
}

export interface Enrolled {
  device: Device;
  files?: DeviceFiles;
}

export interface Evidence {
  received: string;
  sent: string;
}

export interface Factors {
  passkeys: number;
  recoveryCodes: number;
  totp: boolean;
}

export interface FindingChange {
  text: string;
  where: string;
}

export interface FindingIssue {
  advisories?: Array<string>;
  check: string;
  evidence?: Array<Evidence>;
  fix: Fix;
  gains?: Array<string>;
  place: Place;
  possible?: boolean;
  severity: string;
  text?: string;
  title: string;
}

export interface Fix {
  changes?: Array<FindingChange>;
  do: string;
  effort: string;
}

export interface Found {
  address: string;
  issues: number;
  name?: string;
  services: Array<string>;
  worst?: string;
}

export interface GateSeen {
  bytes: number;
  class: string;
  device: string;
  hours: Array<number>;
  last: string;
  requests: number;
  syntax?: string;
  verb: string;
}

export interface GroupGrant {
  group: string;
  study: string;
}

export interface GroupGrants {
  alsoGrantedTo?: Array<IdentityStudyGrant>;
  group: string;
  people?: Array<string>;
  studies: Array<string>;
}

export interface GroupGrantsList {
  items: Array<GroupGrants>;
  next?: number;
}

export interface GroupStudy {
  group: string;
  study: string;
}

export interface Held {
  address: string;
  by: string;
  from: string;
  id: number;
  lastReceived: string;
  reason: string;
  received: string;
  sha256: string;
  size: number;
  sopClassUID: string;
  sopInstanceUID: string;
  storedSHA256?: string;
  studyInstanceUID: string;
  times: number;
}

export interface HeldDetail {
  address: string;
  by: string;
  found: Array<string>;
  from: string;
  id: number;
  lastReceived: string;
  reason: string;
  received: string;
  route?: string;
  sha256: string;
  size: number;
  sopClassUID: string;
  sopInstanceUID: string;
  storedSHA256?: string;
  studyInstanceUID: string;
  times: number;
}

export interface HeldList {
  items: Array<Held>;
  next?: number;
}

export interface IdentityStudyGrant {
  name: string;
  study: string;
}

export interface ImageList {
  items: Array<ShownImage>;
  next?: string;
}

export interface ImageProof {
  proof: string;
  sopInstanceUID: string;
}

export interface InventoryAsset {
  addresses?: Array<string>;
  aeTitles?: Array<string>;
  confidence: number;
  conflicts?: Array<string>;
  firstSeen: string;
  hostname?: string;
  id: string;
  implementations?: Array<string>;
  lastSeen: string;
  location?: string;
  macs?: Array<string>;
  name?: string;
  note?: string;
  owner?: string;
  ports?: Array<number>;
  product?: string;
  refused?: boolean;
  serial?: string;
  sources: Array<InventorySeen>;
  vendor?: string;
  version?: string;
  warning: Warning;
  zone?: string;
}

export interface InventoryChange {
  asset: string;
  at: string;
  field?: string;
  kind: string;
  new?: string;
  old?: string;
  run?: number;
}

export interface InventoryIssue {
  acceptedBy?: string;
  acceptedUntil?: string;
  acceptedWhy?: string;
  advisories?: Array<string>;
  asset: string;
  check: string;
  evidence?: Array<Evidence>;
  firstSeen: string;
  fix: Fix;
  fixedAt?: string;
  gains?: Array<string>;
  id: string;
  lapsed?: boolean;
  lastSeen: string;
  place: Place;
  possible?: boolean;
  severity: string;
  state: string;
  text?: string;
  title: string;
}

export interface InventorySeen {
  firstSeen: string;
  lastSeen: string;
  source: string;
}

export interface Invitation {
  name: string;
  role: string;
}

export interface Invited {
  dropsSecondFactors: boolean;
  expires: string;
  link: string;
  maker?: string;
  name?: string;
  purpose: string;
  role?: string;
}

export interface IssueList {
  items: Array<InventoryIssue>;
  next?: number;
}

export interface Item {
  checks: Array<string>;
  id: string;
  issues: number;
  standard: string;
  words: string;
}

export interface Job {
  addresses: number;
  by: string;
  ended?: string;
  error?: string;
  found?: Array<Found>;
  hosts: number;
  id: string;
  issues: Severities;
  looked: number;
  schedule?: string;
  secondsLeft: number;
  sentence?: string;
  started: string;
  state: string;
  targets: Array<string>;
}

export interface JobList {
  items: Array<Job>;
  next?: number;
}

export interface Learning {
  days: number;
}

export interface LedgerState {
  checkpoint: string;
  key: string;
  leaves: number;
}

export interface Link {
  dropsSecondFactors: boolean;
  expires: string;
  maker?: string;
  name?: string;
  purpose: string;
  role?: string;
}

export interface LinkAndPassword {
  password?: string;
  secret: string;
}

export interface LinkList {
  items: Array<Link>;
  next?: number;
}

export interface LinkOrder {
  dropSecondFactors?: boolean;
}

export interface LinkUse {
  link: string;
  name?: string;
  password: string;
}

export interface ListedStudy {
  accessionNumber?: string;
  bytes: number;
  instanceCount: number;
  issuerOfPatientID?: string;
  labels: Array<string>;
  lastReceived: string;
  marked?: string;
  markedBy?: string;
  modalities: Array<string>;
  note?: string;
  patientBirthDate?: string;
  patientID?: string;
  patientName: PersonName;
  patientSex?: string;
  received: string;
  referringPhysicianName?: string;
  seriesCount: number;
  sources: Array<string>;
  status?: string;
  studyDate?: string;
  studyDescription?: string;
  studyID?: string;
  studyInstanceUID: string;
  studyTime?: string;
}

export interface Location {
  location: string;
}

export interface MadeLink {
  created: string;
  deidentified: boolean;
  expires: string;
  hasPassword: boolean;
  id: string;
  link: string;
  owner?: string;
  password?: string;
  qr: Array<string>;
  revoked?: string;
  study: string;
  used?: string;
}

export interface MadeToken {
  allow: Array<string>;
  created: string;
  expires: string;
  id: string;
  madeByOperator: boolean;
  owner: string;
  revoked?: string;
  secret: string;
  studies?: Array<string>;
}

export interface Mark {
  labels: Array<string>;
  note: string;
  status: string;
}

export interface Match {
  advisory: string;
  answer: string;
  class: string;
  cves?: Array<string>;
  exploited?: boolean;
  fix?: string;
  fixed?: string;
  hhs?: boolean;
  product: string;
  read?: string;
  score?: number;
  title: string;
  update: string;
  versions: string;
}

export interface Merger {
  from: string;
}

export interface NameAndPassword {
  name: string;
  password: string;
}

export interface NewDevice {
  address?: string;
  aeTitle: string;
  allow?: Array<string>;
  certificate?: string;
  days?: number;
  listen?: string;
  moveTo?: Array<string>;
  noCertificateUntil?: string;
  plaintextUntil?: string;
}

export interface NewFactor {
  recoveryCodes?: Array<string>;
  session: SessionState;
}

export interface NewLink {
  days: number;
  deidentified?: boolean;
  password?: boolean;
  study: string;
}

export interface NewPasskey {
  credential: unknown;
  name: string;
}

export interface NewRole {
  role: string;
}

export interface NewStatement {
  answer: boolean;
  note?: string;
  question: string;
  since?: string;
}

export interface NewToken {
  hours: number;
  scope: string;
  studies?: Array<string>;
}

export interface Object {
  detail?: string;
  device?: string;
  failed?: number;
  instances?: number;
  matches?: number;
  patient?: string;
  patientIssuer?: string;
  person?: string;
  query?: string;
  sopClass?: string;
  sopClasses?: { [name: string]: number };
  study?: string;
}

export interface OneTimeLink {
  link: string;
}

export interface OpenedDoor {
  address?: string;
  claimed?: string;
  code: string;
  elsewhere?: boolean;
  ended?: string;
  for: string;
  number: number;
  opened: string;
  openedBy: string;
  route: string;
  target: string;
  until: string;
  why?: string;
}

export interface OpenedStudy {
  dicomWeb: string;
  expires: string;
  radiant: string;
  slicer: string;
  token: string;
  weasis: string;
}

export interface Overview {
  administrators: number;
  backup: Backup;
  disk: Disk;
  ending: Array<Ending>;
  open: Array<Point>;
  queues: Array<Summary>;
}

export interface OwnRange {
  mine: boolean;
  range: string;
}

export interface OwnedDoor {
  number: number;
  route: string;
  secondsLeft: number;
  target: string;
  until: string;
}

export interface PageVisit {
  nonce: string;
  route: string;
  to: string;
}

export interface PasskeyInfo {
  copied?: boolean;
  created: string;
  host: string;
  id: string;
  name: string;
  used?: string;
}

export interface Passwords {
  new: string;
  old: string;
}

export interface PatchRow {
  behind?: string;
  costs?: string;
  cves?: Array<string>;
  does: string;
  keeps: string;
  name: string;
  state: string;
}

export interface PatchRowList {
  items: Array<PatchRow>;
  next?: number;
}

export interface PatchSwitch {
  name: string;
  on: boolean;
}

export interface Peer {
  address?: string;
  calledAETitle?: string;
  callingAETitle?: string;
  destination?: string;
  fingerprint?: string;
  route?: string;
}

export interface Pending {
  address: string;
  attempts: number;
  calledAETitle: string;
  callingAETitle: string;
  contexts?: Array<string>;
  fingerprint?: string;
  firstSeen: string;
  id: number;
  implementation?: string;
  lastSeen: string;
  reason: string;
}

export interface PendingList {
  items: Array<Pending>;
  next?: number;
}

export interface PersonDetail {
  created: string;
  disabled?: string;
  factors: Factors;
  groups?: Array<string>;
  identityProviders?: Array<string>;
  name: string;
  role: string;
  sessions: Array<Session>;
  studies?: Array<string>;
  studiesByGroup?: Array<GroupStudy>;
}

export interface PersonInfo {
  created: string;
  disabled?: string;
  name: string;
  role: string;
  studies?: Array<string>;
  studiesByGroup?: Array<GroupStudy>;
}

export interface PersonInfoList {
  items: Array<PersonInfo>;
  next?: number;
}

export interface PersonName {
  alphabetic?: string;
  ideographic?: string;
  phonetic?: string;
}

export interface Place {
  address?: string;
  asset?: string;
  port?: number;
}

export interface Point {
  do?: string;
  done: boolean;
  id: string;
}

export interface PriorStudy {
  modalities: Array<string>;
  studyDate?: string;
  studyDescription?: string;
  studyInstanceUID: string;
}

export interface Problem {
  code: string;
  detail?: string;
  secondFactor?: unknown;
  signIn?: unknown;
  status: number;
  title: string;
  type: string;
}

export interface ProofList {
  items: Array<ImageProof>;
  key: string;
  next?: string;
}

export interface Proposal {
  flows: Array<GateSeen>;
  gone: Array<string>;
  refuses: Array<Refused>;
  rules: string;
}

export interface QrCode {
  rows: Array<string>;
}

export interface QrText {
  text: string;
}

export interface Queued {
  due?: string;
  id: number;
  queued: string;
  reason?: string;
  size: number;
  sopClassUID: string;
  sopInstanceUID: string;
  state: string;
  studyInstanceUID: string;
  tries: number;
}

export interface QueuedList {
  items: Array<Queued>;
  next?: number;
}

export interface Record {
  action?: string;
  association?: string;
  code?: string;
  door?: string;
  event: string;
  kind?: string;
  objects?: Array<Object>;
  outcome: number;
  peer?: Peer;
  principal?: string;
  reason?: string;
  rule?: string;
  sequence?: number;
  time: string;
}

export interface RecordList {
  items: Array<Record>;
  next?: number;
}

export interface RecoveryCodes {
  recoveryCodes: Array<string>;
}

export interface Refused {
  bytes: number;
  class: string;
  device: string;
  hour: number;
  last: string;
  reason: string;
  requests: number;
  route: string;
  syntax?: string;
  verb: string;
}

export interface Remark {
  kind: string;
  text: string;
}

export interface Renewal {
  days?: number;
  revoke?: boolean;
}

export interface Report {
  accepted: Array<Accepted>;
  advice: Array<Advice>;
  assets: Array<ReportAsset>;
  changes: Array<ReportChange>;
  facts: Array<string>;
  issues: Array<FindingIssue>;
  items: Array<Item>;
  made: string;
  more?: number;
  sentence: string;
  since?: string;
  title: string;
  version: string;
}

export interface ReportAsset {
  address?: string;
  answers?: Array<Answer>;
  id?: string;
  name?: string;
  note?: string;
  product?: string;
  services?: Array<string>;
}

export interface ReportChange {
  asset: string;
  at: string;
  what: string;
}

export interface Retried {
  objects: number;
}

export interface Retrying {
  redirect?: boolean;
}

export interface RouteDetail {
  block: string;
  callsItAs: string;
  closed: boolean;
  kind: string;
  leadsTo: string;
  learnUntil?: string;
  name: string;
  patched: boolean;
  queues: boolean;
  remarks: Array<Remark>;
  ruled: boolean;
  says: Array<string>;
  state: string;
  whoMayWhat: string;
}

export interface RouteRow {
  callsItAs: string;
  closed: boolean;
  kind: string;
  leadsTo: string;
  learnUntil?: string;
  name: string;
  patched: boolean;
  queues: boolean;
  ruled: boolean;
  state: string;
  whoMayWhat: string;
}

export interface RouteRowList {
  items: Array<RouteRow>;
  next?: number;
}

export interface Rule {
  cves?: Array<CVE>;
  except?: Array<string>;
  family?: boolean;
  fixed?: string;
  hhs?: boolean;
  names?: Array<string>;
  product: string;
  remark?: string;
  score?: number;
  umbrella?: boolean;
  update: string;
  vendors: Array<string>;
  versions: string;
}

export interface ScanOrder {
  calledAETitle?: string;
  ports?: string;
  targets: Array<string>;
}

export interface Scope {
  exclude: Array<string>;
  own: Array<string>;
  ranges: Array<string>;
  zones: Array<string>;
}

export interface Send {
  by: string;
  done: number;
  ended?: string;
  failed: number;
  id: number;
  series?: Array<string>;
  started: string;
  state: string;
  study: string;
  to: string;
  total: number;
  why?: string;
}

export interface SendList {
  items: Array<Send>;
  next?: number;
}

export interface SendOrder {
  series?: Array<string>;
  to: string;
}

export interface Session {
  address: string;
  complete: boolean;
  created: string;
  expires: string;
  id: string;
  method: string;
  person: string;
  proven?: string;
  provider?: string;
  seen: string;
}

export interface SessionState {
  can?: Array<string>;
  expires: string;
  factors: Factors;
  idleSeconds: number;
  method: string;
  name: string;
  role?: string;
  session: string;
  state: string;
}

export interface Setting {
  key: string;
  line?: number;
  value: string;
}

export interface Settings {
  file?: string;
  items: Array<Setting>;
}

export interface Settled {
  accepted?: boolean;
  advisory: string;
  answer: string;
  class: string;
  cves?: Array<string>;
  exploited?: boolean;
  fix?: string;
  fixed?: string;
  hhs?: boolean;
  issue: string;
  patched?: boolean;
  product: string;
  read?: string;
  score?: number;
  title: string;
  update: string;
  versions: string;
}

export interface Severities {
  critical: number;
  high: number;
  info: number;
  low: number;
  medium: number;
}

export interface Share {
  created: string;
  deidentified: boolean;
  expires: string;
  hasPassword: boolean;
  id: string;
  owner?: string;
  revoked?: string;
  study: string;
  used?: string;
}

export interface ShareList {
  items: Array<Share>;
  next?: number;
}

export interface ShownCode {
  code: string;
}

export interface ShownImage {
  bytes: number;
  columns?: number;
  frames?: number;
  instanceNumber?: number;
  ledgerLeaf?: number;
  received: string;
  rows?: number;
  seriesInstanceUID: string;
  sopClass: string;
  sopInstanceUID: string;
  source?: string;
  transferSyntax: string;
}

export interface ShownSeries {
  bodyPart?: string;
  bytes: number;
  instances: number;
  modality?: string;
  received: string;
  seriesDescription?: string;
  seriesInstanceUID: string;
  seriesNumber?: number;
  sopClasses: Array<CountedUID>;
  source: Array<string>;
  transferSyntaxes: Array<CountedUID>;
}

export interface State {
  do?: string;
  level: string;
  name: string;
  since: string;
  text?: string;
}

export interface StateList {
  items: Array<State>;
  next?: number;
}

export interface Statement {
  answer: boolean;
  made: string;
  note?: string;
  question: string;
  since?: string;
  who: string;
}

export interface Stored {
  atLeast?: boolean;
  bytes: number;
  instances: number;
  last?: string;
  studies: number;
}

export interface StudyLedger {
  covered: number;
  leaves: number;
  size: number;
}

export interface StudyList {
  items: Array<ListedStudy>;
  next?: string;
  previous?: string;
  total?: number;
  totalAtLeast?: number;
}

export interface StudyPage {
  accessionNumber?: string;
  bytes: number;
  instanceCount: number;
  issuerOfPatientID?: string;
  labels: Array<string>;
  lastReceived: string;
  ledger?: StudyLedger;
  marked?: string;
  markedBy?: string;
  modalities: Array<string>;
  morePriors?: boolean;
  note?: string;
  patientBirthDate?: string;
  patientID?: string;
  patientName: PersonName;
  patientSex?: string;
  priors: Array<PriorStudy>;
  quarantine: number;
  received: string;
  referringPhysicianName?: string;
  series: Array<ShownSeries>;
  seriesCount: number;
  sources: Array<string>;
  status?: string;
  studyDate?: string;
  studyDescription?: string;
  studyID?: string;
  studyInstanceUID: string;
  studyTime?: string;
}

export interface Summary {
  aside: number;
  bytes: number;
  destination: string;
  due?: string;
  oldest?: string;
  reason?: string;
  sent: number;
  target: string;
  tried?: string;
  tries: number;
  waiting: number;
}

export interface TOTPSecret {
  secret: string;
  uri: string;
}

export interface Warning {
  accepted: number;
  fixed: number;
  gate?: Statement;
  open: number;
  patched?: Statement;
  protected?: Statement;
}

// Routes are those of the API: what of the path, of the query and of the body each takes, and what it gives.
export interface Routes {
  /** List the tokens of everybody, the newest first. */
  'GET /api/v1/access-tokens': { gives: AccessTokenList };
  /** Revoke a token of anybody. */
  'DELETE /api/v1/access-tokens/{id}': { path: { id: string }; gives: undefined };
  /** List the advisories that are known here. */
  'GET /api/v1/advisories': { query: { after?: string; limit?: string }; gives: AdvisoryList };
  /** Show an advisory: a row for each product it names. */
  'GET /api/v1/advisories/{id}': { path: { id: string }; gives: AdvisoryList };
  /** List the systems that were found in the network. */
  'GET /api/v1/assets': { query: { after?: string; limit?: string; refused?: string }; gives: AssetList };
  /** Show a system with its issues. */
  'GET /api/v1/assets/{id}': { path: { id: string }; gives: AssetDetail };
  /** Say which advisories speak of a system. */
  'GET /api/v1/assets/{id}/advisories': { path: { id: string }; gives: AssetAdvisories };
  /** Say that two systems are one. */
  'POST /api/v1/assets/{id}/merge': { path: { id: string }; body: Merger; gives: InventoryAsset };
  /** Answer a question of an advisory about a system. */
  'POST /api/v1/assets/{id}/statements': { path: { id: string }; body: NewStatement; gives: InventoryAsset };
  /** Search the audit trail, the oldest record first. */
  'GET /api/v1/audit': { query: { action?: string; address?: string; after?: string; door?: string; event?: string; failed?: string; limit?: string; patient?: string; person?: string; principal?: string; since?: string; study?: string; until?: string }; gives: RecordList };
  /** Give all records that match as a file. */
  'GET /api/v1/audit/export': { query: { action?: string; address?: string; after?: string; door?: string; event?: string; failed?: string; form?: string; limit?: string; patient?: string; person?: string; principal?: string; since?: string; study?: string; until?: string }; gives: undefined };
  /** List what has changed in the network. */
  'GET /api/v1/changes': { query: { after?: string; asset?: string; limit?: string; since?: string }; gives: ChangeList };
  /** Say what is typed into a device so that it finds this archive. */
  'GET /api/v1/connection': { gives: Connection };
  /** List the registered devices to which studies can be sent. */
  'GET /api/v1/destinations': { gives: DestinationList };
  /** List the registered devices. */
  'GET /api/v1/devices': { gives: DeviceList };
  /** Register a device, and make its certificate. */
  'POST /api/v1/devices': { body: NewDevice; gives: Enrolled };
  /** List the callers that were refused because nobody knows them. */
  'GET /api/v1/devices/pending': { gives: PendingList };
  /** Forget a refused caller, until they call again. */
  'DELETE /api/v1/devices/pending/{id}': { path: { id: string }; gives: undefined };
  /** Register a refused caller as a device. */
  'POST /api/v1/devices/pending/{id}/approve': { path: { id: string }; body: Approval; gives: Device };
  /** Take a device out; what it stored stays. */
  'DELETE /api/v1/devices/{aet}': { path: { aet: string }; gives: undefined };
  /** Show a device with what it stored, and when it was last let in. */
  'GET /api/v1/devices/{aet}': { path: { aet: string }; gives: DeviceDetail };
  /** Change what a device may do. */
  'PATCH /api/v1/devices/{aet}': { path: { aet: string }; body: DeviceChange; gives: Device };
  /** Make a new certificate for a device. */
  'POST /api/v1/devices/{aet}/certificate': { path: { aet: string }; body: Renewal; gives: Enrolled };
  /** Send a C-ECHO to where a device accepts associations. */
  'POST /api/v1/devices/{aet}/echo': { path: { aet: string }; gives: Echo };
  /** Leave a door. */
  'DELETE /api/v1/door': { gives: undefined };
  /** Show the door at which one is. */
  'GET /api/v1/door': { gives: OwnedDoor };
  /** Come to the door that was opened for oneself. */
  'POST /api/v1/door': { body: DoorCode; gives: OwnedDoor };
  /** Make a connection to the system behind the door (101, another protocol). */
  'GET /api/v1/door/connection': { gives: undefined };
  /** Tell what has changed, by server-sent events: "changed" with a list of topics. */
  'GET /api/v1/events': { gives: undefined };
  /** List the doors for maintenance. */
  'GET /api/v1/gate/doors': { gives: DoorList };
  /** Open a door for somebody who maintains a system. */
  'POST /api/v1/gate/doors': { body: DoorOrder; gives: OpenedDoor };
  /** Shut a door. */
  'DELETE /api/v1/gate/doors/{id}': { path: { id: string }; gives: undefined };
  /** Let this browser into the pages of a system behind a route of the gate. */
  'POST /api/v1/gate/pages': { body: PageVisit; gives: Location };
  /** Remove an object that has not arrived. */
  'DELETE /api/v1/gate/queue/{id}': { path: { id: string }; body: Because; gives: undefined };
  /** List the routes of the gate. */
  'GET /api/v1/gate/routes': { gives: RouteRowList };
  /** Show a route with what it lets through. */
  'GET /api/v1/gate/routes/{name}': { path: { name: string }; gives: RouteDetail };
  /** Close a route: callers are cut off. */
  'POST /api/v1/gate/routes/{name}/close': { path: { name: string }; gives: RouteDetail };
  /** Put the proposed rules in force. */
  'POST /api/v1/gate/routes/{name}/enforce': { path: { name: string }; body: Enforcing; gives: RouteDetail };
  /** Let a route learn for some days: every registered device may do everything. */
  'POST /api/v1/gate/routes/{name}/learn': { path: { name: string }; body: Learning; gives: RouteDetail };
  /** List the patches as they stand at a route. */
  'GET /api/v1/gate/routes/{name}/patches': { path: { name: string }; gives: PatchRowList };
  /** Turn a patch on or off. */
  'POST /api/v1/gate/routes/{name}/patches': { path: { name: string }; body: PatchSwitch; gives: PatchRowList };
  /** List what waits for the target of a route. */
  'GET /api/v1/gate/routes/{name}/queue': { path: { name: string }; query: { limit?: string }; gives: QueuedList };
  /** Send what waits now. */
  'POST /api/v1/gate/routes/{name}/queue/retry': { path: { name: string }; body: Retrying; gives: Retried };
  /** Open a route again. */
  'POST /api/v1/gate/routes/{name}/reopen': { path: { name: string }; gives: RouteDetail };
  /** Propose rules by what went through a route. */
  'GET /api/v1/gate/routes/{name}/rules': { path: { name: string }; gives: Proposal };
  /** List the groups of the identity provider to which studies are granted. */
  'GET /api/v1/groups': { gives: GroupGrantsList };
  /** Grant a study to a group. */
  'POST /api/v1/groups/studies': { body: GroupGrant; gives: undefined };
  /** Take a study back from a group. */
  'POST /api/v1/groups/ungrant': { body: GroupGrant; gives: undefined };
  /** List what is wrong, the worst first. */
  'GET /api/v1/issues': { query: { after?: string; asset?: string; limit?: string; severity?: string; state?: string }; gives: IssueList };
  /** Show an issue. */
  'GET /api/v1/issues/{id}': { path: { id: string }; gives: InventoryIssue };
  /** Live with an issue until a day. */
  'POST /api/v1/issues/{id}/accept': { path: { id: string }; body: Acceptance; gives: InventoryIssue };
  /** Give the signed checkpoint and the key that verifies it. */
  'GET /api/v1/ledger': { gives: LedgerState };
  /** Hold the trail and the registers against the log, by server-sent events: progress, done, failed. */
  'GET /api/v1/ledger/verification': { gives: undefined };
  /** List the one-time links that count. */
  'GET /api/v1/links': { gives: LinkList };
  /** End a one-time link. */
  'DELETE /api/v1/links/{id}': { path: { id: string }; gives: undefined };
  /** Describe this API. */
  'GET /api/v1/openapi.json': { gives: unknown };
  /** Show what an administrator looks at first. */
  'GET /api/v1/overview': { gives: Overview };
  /** List one's passkeys. */
  'GET /api/v1/passkeys': { gives: Array<PasskeyInfo> };
  /** Remove a passkey. */
  'DELETE /api/v1/passkeys/{id}': { path: { id: string }; gives: undefined };
  /** Change one's password. */
  'POST /api/v1/password': { body: Passwords; gives: SessionState };
  /** List who saw studies of a patient, the oldest first. */
  'GET /api/v1/patients/accesses': { query: { after?: string; issuer?: string; limit?: string; patientID?: string }; gives: AccessList };
  /** List the people who have an account. */
  'GET /api/v1/people': { gives: PersonInfoList };
  /** Make a one-time link by which somebody new chooses a password. */
  'POST /api/v1/people': { body: Invitation; gives: Invited };
  /** Show somebody with what leads to a session. */
  'GET /api/v1/people/{name}': { path: { name: string }; gives: PersonDetail };
  /** Let somebody in no more, and end all they have. */
  'POST /api/v1/people/{name}/disable': { path: { name: string }; gives: PersonDetail };
  /** Let somebody come back by a one-time link. */
  'POST /api/v1/people/{name}/enable': { path: { name: string }; gives: Invited };
  /** Make a one-time link for another password. */
  'POST /api/v1/people/{name}/link': { path: { name: string }; body: LinkOrder; gives: Invited };
  /** Give somebody another role. */
  'POST /api/v1/people/{name}/role': { path: { name: string }; body: NewRole; gives: PersonDetail };
  /** End the sessions of somebody, and what was made in them. */
  'DELETE /api/v1/people/{name}/sessions': { path: { name: string }; gives: undefined };
  /** Grant a study to somebody. */
  'POST /api/v1/people/{name}/studies': { path: { name: string }; body: ApiStudyGrant; gives: PersonDetail };
  /** Take a granted study back. */
  'DELETE /api/v1/people/{name}/studies/{study}': { path: { name: string; study: string }; gives: undefined };
  /** Draw a text as a QR code. */
  'POST /api/v1/qr': { body: QrText; gives: QrCode };
  /** List what is held back, the newest first. */
  'GET /api/v1/quarantine': { query: { after?: string; limit?: string }; gives: HeldList };
  /** Remove an entry and its file. */
  'DELETE /api/v1/quarantine/{id}': { path: { id: string }; gives: undefined };
  /** Show an entry without drawing it: why it is held back, and what was found in it. */
  'GET /api/v1/quarantine/{id}': { path: { id: string }; gives: HeldDetail };
  /** Give the file of an entry, to look into it elsewhere. */
  'GET /api/v1/quarantine/{id}/file': { path: { id: string }; gives: undefined };
  /** Take an entry into the archive after all. */
  'POST /api/v1/quarantine/{id}/release': { path: { id: string }; gives: undefined };
  /** Make new recovery codes; the earlier ones end. */
  'POST /api/v1/recovery-codes': { gives: RecoveryCodes };
  /** Make a report about the attack surface. */
  'GET /api/v1/report': { query: { format?: string; since?: string }; gives: Report };
  /** Give a synthetic study of nobody, marked TEST, as a ZIP file. */
  'GET /api/v1/sample': { query: { images?: string; kind?: string }; gives: undefined };
  /** List scans, the newest first. */
  'GET /api/v1/scans': { gives: JobList };
  /** Begin a scan within the declared scope. */
  'POST /api/v1/scans': { body: ScanOrder; gives: Job };
  /** Stop a scan; what was found stays. */
  'DELETE /api/v1/scans/{id}': { path: { id: string }; gives: Job };
  /** Show a scan and how far it is. */
  'GET /api/v1/scans/{id}': { path: { id: string }; gives: Job };
  /** Say where scans may look. */
  'GET /api/v1/scope': { gives: Scope };
  /** Declare a range of private addresses as one's own. */
  'POST /api/v1/scope': { body: OwnRange; gives: Scope };
  /** List what was sent to devices since the server was started, the newest first: one's own, of an administrator all. */
  'GET /api/v1/sends': { gives: SendList };
  /** Stop a sending. */
  'DELETE /api/v1/sends/{id}': { path: { id: string }; gives: undefined };
  /** Show how far a sending is. */
  'GET /api/v1/sends/{id}': { path: { id: string }; gives: Send };
  /** Sign out, and close a link that was opened. */
  'DELETE /api/v1/session': { gives: Location | undefined };
  /** Say who is signed in, and what is next. */
  'GET /api/v1/session': { gives: SessionState };
  /** Give the options for navigator.credentials.create. */
  'POST /api/v1/session/enrol/passkey/begin': { gives: unknown };
  /** Keep a passkey that the browser made. */
  'POST /api/v1/session/enrol/passkey/finish': { body: NewPasskey; gives: NewFactor };
  /** Give the secret for an authenticator app. */
  'POST /api/v1/session/enrol/totp': { gives: TOTPSecret };
  /** Set up an authenticator app by a code it shows. */
  'POST /api/v1/session/enrol/totp/confirm': { body: ShownCode; gives: NewFactor };
  /** Begin to sign in at the identity provider. */
  'POST /api/v1/session/oidc': { gives: Location };
  /** Come back from the identity provider. */
  'GET /api/v1/session/oidc/callback': { gives: SessionState };
  /** End the sessions of somebody who signed out at the identity provider. */
  'POST /api/v1/session/oidc/logout': { gives: undefined };
  /** Give the options for navigator.credentials.get. */
  'POST /api/v1/session/passkey/begin': { gives: unknown };
  /** Sign in with what the browser made of a passkey. */
  'POST /api/v1/session/passkey/finish': { body: unknown; gives: SessionState };
  /** Sign in with a password. */
  'POST /api/v1/session/password': { body: NameAndPassword; gives: SessionState };
  /** Show a recovery code. */
  'POST /api/v1/session/recovery': { body: ShownCode; gives: SessionState };
  /** Open a link to a study. */
  'POST /api/v1/session/share': { body: LinkAndPassword; gives: SessionState };
  /** Show a code of an authenticator app. */
  'POST /api/v1/session/totp': { body: ShownCode; gives: SessionState };
  /** Sign out everywhere, and end all that was made in a session. */
  'DELETE /api/v1/sessions': { gives: undefined };
  /** List one's own sessions. */
  'GET /api/v1/sessions': { gives: Array<Session> };
  /** End one of one's sessions. */
  'DELETE /api/v1/sessions/{id}': { path: { id: string }; gives: undefined };
  /** List the settings in force. */
  'GET /api/v1/settings': { gives: Settings };
  /** Set a password by a one-time link. */
  'POST /api/v1/setup': { body: LinkUse; gives: SessionState };
  /** Say what a one-time link is for. */
  'POST /api/v1/setup/look': { body: OneTimeLink; gives: Link };
  /** List the links to studies: one's own, of an administrator all. */
  'GET /api/v1/shares': { gives: ShareList };
  /** Make a link to a study. */
  'POST /api/v1/shares': { body: NewLink; gives: MadeLink };
  /** Revoke a link to a study. */
  'DELETE /api/v1/shares/{id}': { path: { id: string }; gives: undefined };
  /** Say how each part of the server is, and what to do. */
  'GET /api/v1/states': { gives: StateList };
  /** List the studies that one may see. */
  'GET /api/v1/studies': { query: { accession?: string; cursor?: string; description?: string; from?: string; label?: string; limit?: string; modality?: string; name?: string; patientID?: string; q?: string; receivedFrom?: string; receivedTo?: string; sort?: string; source?: string; status?: string; to?: string }; gives: StudyList };
  /** Delete a study. */
  'DELETE /api/v1/studies/{uid}': { path: { uid: string }; body: Because; gives: DeletedStudy };
  /** Show a study with its series and the other studies of its patient. */
  'GET /api/v1/studies/{uid}': { path: { uid: string }; gives: StudyPage };
  /** List who saw a study, the oldest first. */
  'GET /api/v1/studies/{uid}/accesses': { path: { uid: string }; query: { after?: string; limit?: string }; gives: AccessList };
  /** Give a study as a file: objects with a DICOMDIR, and pages that any browser shows. */
  'GET /api/v1/studies/{uid}/download': { path: { uid: string }; query: { format?: string; language?: string }; gives: undefined };
  /** List the instances of a study. */
  'GET /api/v1/studies/{uid}/instances': { path: { uid: string }; query: { cursor?: string; limit?: string; series?: string }; gives: ImageList };
  /** Say labels, a status and a note of a study, in place of what was said. */
  'PUT /api/v1/studies/{uid}/labels': { path: { uid: string }; body: Mark; gives: ListedStudy };
  /** Make a token that reads one study for ten minutes, for a viewer on the desktop. */
  'POST /api/v1/studies/{uid}/open': { path: { uid: string }; gives: OpenedStudy };
  /** Prove that instances of a study stand in the ledger. */
  'GET /api/v1/studies/{uid}/proof': { path: { uid: string }; query: { cursor?: string; instance?: string; limit?: string }; gives: ProofList };
  /** Begin to send a study, or series of it, to a registered device. */
  'POST /api/v1/studies/{uid}/send': { path: { uid: string }; body: SendOrder; gives: Send };
  /** List one's tokens. */
  'GET /api/v1/tokens': { gives: AccessTokenList };
  /** Make a token for a program. */
  'POST /api/v1/tokens': { body: NewToken; gives: MadeToken };
  /** Revoke a token. */
  'DELETE /api/v1/tokens/{id}': { path: { id: string }; gives: undefined };
  /** Remove the authenticator app. */
  'DELETE /api/v1/totp': { gives: undefined };
  /** Give numbers for Prometheus. */
  'GET /metrics': { gives: undefined };
}
