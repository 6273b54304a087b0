// The types of pages, made of those of the API (openapi.ts, which is written from docs/openapi.json): with the words
// that it calls a text spelled out, and under the names that pages use.
import type * as api from './openapi';

export type Verb = 'echo' | 'store' | 'query' | 'retrieve' | 'commit' | 'delete' | 'share' | 'quarantine' | 'audit' | 'verify'
  | 'configure' | 'devices' | 'people' | 'surface' | 'scan' | 'doors' | 'maintain' | 'metrics' | 'worklist' | 'performed' | 'web' | 'report' | 'label';
export type Severity = 'critical' | 'high' | 'medium' | 'low' | 'info';

export interface List<T> { items: T[]; next?: number }

export interface Session extends api.SessionState { can?: Verb[] }
export type OwnSession = api.Session;
export type Passkey = api.PasskeyInfo;
export type Token = api.AccessToken;

export type Certificate = api.Certificate;
export type Device = api.Device;
export type Pending = api.Pending;

export type Place = api.Place;
export type Fix = api.Fix;
export interface Issue extends api.InventoryIssue { severity: Severity; state: 'open' | 'accepted' | 'fixed' }
export interface Scan extends api.Job { state: 'running' | 'done' | 'stopped' | 'failed' }

export type AuditObject = api.Object;
export type AuditRecord = api.Record;
export type Person = api.PersonInfo;
