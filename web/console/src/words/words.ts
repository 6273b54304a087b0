// Every text is there in both languages: a German one that is missing, or one too many, does not compile.
export type Language = 'en' | 'de';
export type Words<T> = Record<Language, T>;

export const words = <T>(w: { en: T; de: NoInfer<T> }): Words<T> => w;
