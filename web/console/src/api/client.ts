import { offline, Problem, readProblem, type Ways } from './problem';

export const apiRoot = '/api/v1';

// What the rest of the console does for the client.
export interface Around {
  // over is called when nobody is signed in any more.
  over(): void;
  // prove asks for a second factor; false where the person would rather not.
  prove(ways: Ways): Promise<boolean>;
  // asked is called after each answer: the server has seen the session.
  asked(): void;
}

export interface Options {
  signal?: AbortSignal;
  // plain: a refusal is the caller's own affair, also 401 and a second factor again.
  plain?: boolean;
  // blob: the answer is a file.
  blob?: boolean;
}

// Client asks the JSON API. Paths stand below /api/v1; every refusal is a Problem.
export interface Client {
  get<T>(path: string, options?: Options): Promise<T>;
  post<T>(path: string, body?: unknown, options?: Options): Promise<T>;
  put<T>(path: string, body?: unknown, options?: Options): Promise<T>;
  patch<T>(path: string, body?: unknown, options?: Options): Promise<T>;
  del<T = undefined>(path: string, options?: Options, body?: unknown): Promise<T>;
}

export function newClient(around: Around): Client {
  const send = async <T>(method: string, path: string, body: unknown, options: Options = {}): Promise<T> => {
    for (let again = false; ; again = true) {
      const answer = await ask(method, path, body, options);
      if (answer.ok) {
        around.asked();
        return options.blob ? await answer.blob() as T : await read<T>(answer);
      }

      const problem = await readProblem(answer);
      if (!options.plain && problem.status === 401) around.over();
      if (!options.plain && !again && problem.secondFactor && await around.prove(problem.secondFactor)) continue;
      throw problem;
    }
  };
  return {
    get: (path, options) => send('GET', path, undefined, options),
    post: (path, body, options) => send('POST', path, body, options),
    put: (path, body, options) => send('PUT', path, body, options),
    patch: (path, body, options) => send('PATCH', path, body, options),
    del: (path, options, body) => send('DELETE', path, body, options),
  };
}

async function ask(method: string, path: string, body: unknown, { signal, blob }: Options): Promise<Response> {
  const headers: Record<string, string> = { Accept: blob ? '*/*' : 'application/json' };
  const init: RequestInit = { method, headers, cache: 'no-store', credentials: 'same-origin' };
  if (signal) init.signal = signal;
  if (body !== undefined) {
    headers['Content-Type'] = 'application/json';
    init.body = JSON.stringify(body);
  }
  try {
    return await fetch(apiRoot + path, init);
  } catch (e) {
    throw signal?.aborted ? e : offline();
  }
}

async function read<T>(answer: Response): Promise<T> {
  const text = await answer.text();
  try {
    return (text === '' ? undefined : JSON.parse(text)) as T;
  } catch {
    throw new Problem(answer.status, 'internal', '');
  }
}

// withQuery adds parameters to a path; what is empty is left out.
export function withQuery(path: string, parameters: Record<string, string | number | boolean | undefined>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined && value !== '') query.set(name, String(value));
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}
