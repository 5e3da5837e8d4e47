/** The fields of the configuration in which runs differ. */
import { fields, type GroupName } from '../../../core/contract/config.ts';
import type { Field } from '../../../core/contract/fields.ts';
import * as format from '../../../core/contract/format.ts';
import type { Run } from '../../../core/contract/records.ts';

export interface Difference {
  key: string;
  label: string;
  unit: string;
  help: string;
  /** One a run, in their order; `–` where the field has no effect. */
  values: string[];
}

/** In the order in which fields are declared; data and backend first. */
export function differences(
  runs: readonly Run[],
  datasetName: (id: string) => string,
): Difference[] {
  const own: Difference[] = [
    {
      key: 'dataset',
      label: 'Data',
      unit: '',
      help: 'The imported text.',
      values: runs.map(({ datasetId }) => datasetName(datasetId)),
    },
    {
      key: 'backend',
      label: 'Backend',
      unit: '',
      help: 'What computed the steps.',
      values: runs.map(({ backend }) => backend),
    },
  ];
  return [
    ...own,
    ...Object.keys(fields).flatMap((group) => ofGroup(runs, group as GroupName)),
  ].filter(({ values }) => new Set(values).size > 1);
}

function ofGroup(runs: readonly Run[], group: GroupName): Difference[] {
  return Object.entries<Field>(fields[group]).map(([name, field]) => ({
    key: `${group}.${name}`,
    label: field.label,
    // "Steps, in steps" says nothing more.
    unit: field.unit === field.label.toLowerCase() ? '' : (field.unit ?? ''),
    help: field.help,
    values: runs.map((run) => valueOf(run, group, name, field)),
  }));
}

function valueOf(run: Run, group: GroupName, name: string, { when }: Field): string {
  const values: Readonly<Record<string, string | number>> = run.config[group];
  const applies = Object.entries(when ?? {}).every(([other, allowed]) =>
    allowed.includes(values[other]),
  );
  return applies ? format.setting(values[name]) : '–';
}
