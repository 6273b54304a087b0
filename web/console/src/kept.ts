// What a browser keeps of somebody's liking: language and colours, nothing else. One that keeps nothing works too.
export function kept(name: 'language' | 'theme'): string | null {
  try { return localStorage.getItem('collimator.' + name); } catch { return null; }
}

export function keep(name: 'language' | 'theme', value: string) {
  try { localStorage.setItem('collimator.' + name, value); } catch { /* not kept, then */ }
}
