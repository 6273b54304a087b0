import { useWords } from '../../language';
import { people as own } from '../../words/people';
import { roles } from '../../words/roles';
import { Select } from '../../ui/Select';

export type Role = keyof (typeof roles)['en'];
const all = Object.keys(roles.en) as Role[];

// Roles is a choice of them, with what the chosen one may.
export function Roles({ role, change }: { role: Role; change: (role: Role) => void }) {
  const t = useWords(own);
  const r = useWords(roles);
  return <><Select label={t.role} options={all.map(x => [x, r[x]] as const)} value={role} onChange={change} /><p className="quiet small" role="status">{t.roleMore[role]}</p></>;
}
