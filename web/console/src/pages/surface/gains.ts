import type { InventoryIssue } from '../../api/openapi';

// What somebody gains who uses an issue, the worst first (internal/finding).
const gains = ['read-patient-data', 'change-patient-data', 'run-code', 'stop-service', 'eavesdrop', 'step-stone', 'knowledge'];

// worst is the worst gain of an issue; a new word of the API counts as the least.
const worst = (i: InventoryIssue) => gains.find(g => i.gains?.includes(g)) ?? i.gains?.[0] ?? 'knowledge';

// byGain puts issues into groups in this order. Each stands once, and in a group they keep their order.
export function byGain(issues: InventoryIssue[]): [string, InventoryIssue[]][] {
  const groups = new Map<string, InventoryIssue[]>(gains.map(g => [g, []]));
  for (const i of issues) {
    const g = worst(i);
    groups.set(g, [...groups.get(g) ?? [], i]);
  }
  return [...groups].filter(([, of]) => of.length > 0);
}
