import { readFileSync } from 'node:fs';

/** Switchyard's version, from its manifest. */
export function ownVersion(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
