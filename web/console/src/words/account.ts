import { words } from './words';

export const account = words({
  en: {
    title: 'Your account', role: (role: string) => `Your role: ${role}`,
    sessions: 'Where you are signed in', begun: 'Begun', seen: 'Last used', address: 'Address', method: 'With', here: 'this browser', end: 'End', endAll: 'Sign out everywhere',
    endAllMore: 'All your sessions end, here too, and with them the tokens, invitations and links to studies that you made.', ended: 'The session has ended.',
    passkeys: 'Passkeys', name: 'Name', used: 'Last used', host: 'For', remove: 'Remove', noPasskeys: 'You have no passkey', noPasskeysMore: 'A passkey signs you in without a password and cannot be tricked out of you by another page.',
    copied: 'copied: counts no more', removed: 'The passkey counts no more.',
    tokens: 'Tokens', token: 'Token', allowed: 'May', until: 'Until', revoke: 'Revoke', revoked: 'The token counts no more.', noTokens: 'You have no token', noTokensMore: 'Programs come in by tokens that you make for them.',
    methods: { password: 'Password', totp: 'Password and app', recovery: 'Recovery code', passkey: 'Passkey', oidc: 'Organisation’s account' },
  },
  de: {
    title: 'Ihr Konto', role: (role: string) => `Ihre Rolle: ${role}`,
    sessions: 'Wo Sie angemeldet sind', begun: 'Begonnen', seen: 'Zuletzt benutzt', address: 'Adresse', method: 'Mit', here: 'dieser Browser', end: 'Beenden', endAll: 'Überall abmelden',
    endAllMore: 'Alle Ihre Sitzungen enden, auch hier, und mit ihnen die Tokens, Einladungen und Links zu Studien, die Sie gemacht haben.', ended: 'Die Sitzung ist beendet.',
    passkeys: 'Passkeys', name: 'Name', used: 'Zuletzt benutzt', host: 'Für', remove: 'Entfernen', noPasskeys: 'Sie haben keinen Passkey', noPasskeysMore: 'Ein Passkey meldet Sie ohne Passwort an, und keine andere Seite kann ihn Ihnen ablisten.',
    copied: 'kopiert: gilt nicht mehr', removed: 'Der Passkey gilt nicht mehr.',
    tokens: 'Tokens', token: 'Token', allowed: 'Darf', until: 'Bis', revoke: 'Widerrufen', revoked: 'Das Token gilt nicht mehr.', noTokens: 'Sie haben kein Token', noTokensMore: 'Programme kommen mit Tokens herein, die Sie für sie machen.',
    methods: { password: 'Passwort', totp: 'Passwort und App', recovery: 'Wiederherstellungscode', passkey: 'Passkey', oidc: 'Konto des Hauses' },
  },
});
