type Kept = 'language' | 'theme' | 'columns';

// What a browser keeps of somebody's liking: language, colours and the columns of the list, nothing else. One that keeps nothing works too.
export function kept(name: Kept): string | null {
  try { return localStorage.getItem('collimator.' + name); } catch { return null; }
}

export function keep(name: Kept, value: string) {
  try { localStorage.setItem('collimator.' + name, value); } catch { /* not kept, then */ }
}
