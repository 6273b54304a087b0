// The ways in which a second factor can be shown again.
export interface Ways { totp: boolean; recovery: boolean; passkey: boolean; password: boolean; oidc: boolean }

// Problem is why a request was refused: code is what programs tell it by (docs/api.md), detail a sentence. A server
// that does not answer is the code 'offline'.
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly secondFactor: Ways | undefined;

  constructor(status: number, code: string, detail: string, secondFactor?: Ways) {
    super(code);
    this.status = status;
    this.code = code;
    this.detail = detail;
    this.secondFactor = secondFactor;
  }

  get denied() { return this.status === 403; }
}

export const offline = () => new Problem(0, 'offline', '');

export const problemOf = (e: unknown) => e instanceof Problem ? e : offline();

// readProblem makes one of an answer that is no success, problem document (RFC 9457) or not.
export async function readProblem(answer: Response): Promise<Problem> {
  try {
    const x = await answer.json() as { code?: string; detail?: string; secondFactor?: Ways };
    return new Problem(answer.status, x.code ?? 'internal', x.detail ?? '', x.secondFactor);
  } catch {
    return new Problem(answer.status, answer.status === 503 ? 'busy' : 'internal', '');
  }
}
