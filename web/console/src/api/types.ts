// What the JSON API answers, named as it is there (docs/api.md).
export type Verb = 'echo' | 'store' | 'query' | 'retrieve' | 'commit' | 'delete' | 'share' | 'quarantine' | 'audit' | 'verify'
  | 'configure' | 'devices' | 'people' | 'surface' | 'scan' | 'doors' | 'maintain' | 'metrics' | 'worklist' | 'performed' | 'web' | 'report';

export interface List<T> { items: T[]; next?: number }

export interface Session {
  state: 'complete' | 'second-factor' | 'enrol';
  name: string;
  role?: string;
  method: string;
  factors: { totp: boolean; passkeys: number; recoveryCodes: number };
  can?: Verb[];
  session: string;
  expires: string;
  idleSeconds: number;
}

export interface OwnSession { id: string; person: string; complete: boolean; method: string; provider?: string; address: string; created: string; seen: string; expires: string; proven?: string }
export interface Passkey { id: string; name: string; host: string; created: string; used?: string; copied?: boolean }
export interface Token { id: string; owner: string; madeByOperator: boolean; allow: Verb[]; studies?: string[]; created: string; expires: string; revoked?: string }

export interface Certificate { fingerprint: string; subject: string; notAfter: string; weakness?: string }
export interface Device { aeTitle: string; address?: string; allow: Verb[]; moveTo?: string[]; listen?: string; plaintextUntil?: string; noCertificateUntil?: string; created: string; certificates?: Certificate[] }
export interface Pending { id: number; callingAETitle: string; calledAETitle: string; address: string; fingerprint?: string; reason: string; implementation?: string; contexts?: string[]; firstSeen: string; lastSeen: string; attempts: number }

export type Severity = 'critical' | 'high' | 'medium' | 'low' | 'info';
export interface Place { asset?: string; address?: string; port?: number }
export interface Fix { do: string; effort: string; changes?: unknown[] }
export interface Issue {
  id: string; asset: string; state: 'open' | 'accepted' | 'fixed'; check: string; title: string; severity: Severity; possible?: boolean;
  place: Place; text?: string; fix: Fix; gains?: string[]; advisories?: string[];
  firstSeen: string; lastSeen: string; fixedAt?: string; acceptedUntil?: string; acceptedBy?: string; acceptedWhy?: string; lapsed?: boolean;
}
export interface Scan {
  id: string; state: 'running' | 'done' | 'stopped' | 'failed'; targets: string[]; by: string; schedule?: string; started: string; ended?: string;
  looked: number; addresses: number; secondsLeft: number; hosts: number; issues: Record<Severity, number>; sentence?: string; error?: string;
}

export interface AuditObject { study?: string; patient?: string; instances?: number; failed?: number; query?: string; matches?: number; device?: string; person?: string; detail?: string }
export interface AuditRecord {
  sequence?: number; time: string; event: string; action?: string; outcome: number; reason?: string; rule?: string; door?: string;
  principal?: string; kind?: string; peer?: { address?: string; callingAETitle?: string; calledAETitle?: string; route?: string }; objects?: AuditObject[];
}

export interface Person { name: string; role: string; studies?: string[]; created: string; disabled?: string }
