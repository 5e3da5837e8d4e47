/** Short identifiers that people can read out and type: `r-7f3k2a9c` for runs, `d-…` for datasets. */
import { randomBytes } from 'node:crypto';

/** 32 digits and letters without i, l, o and u, which are misread. */
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';

function newId(prefix: string): string {
  // 8 characters of 5 bits: among 1,000 ids a collision has a chance of 1 in 2 million.
  return `${prefix}-${Array.from(randomBytes(8), (byte) => alphabet[byte % 32]).join('')}`;
}

export function newRunId(): string {
  return newId('r');
}

export function newDatasetId(): string {
  return newId('d');
}
