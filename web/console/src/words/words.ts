// Every text is there in both languages: a German one that is missing, or one too many, does not compile.
export type Language = 'en' | 'de';
export type Words<T> = Record<Language, T>;

export const words = <T>(w: { en: T; de: NoInfer<T> }): Words<T> => w;

// named is what the API calls by a word, in the language of the page; the word itself where it is a new one.
export const named = (of: Record<string, string>, word: string): string => of[word] ?? word;
