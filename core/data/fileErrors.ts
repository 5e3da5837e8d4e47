import { SwitchyardError, type ErrorCode } from '../contract/errors.ts';

/**
 * Turns an operating-system error into ours, with the path and the remedy; errors that are already
 * ours, and those that are not about files, pass unchanged.
 * @param doing what was being done, to complete "Cannot …", such as `read the text file`
 */
export function fileError(error: unknown, doing: string, path: string): unknown {
  if (error instanceof SwitchyardError || !(error instanceof Error)) return error;
  const known = describe(systemCode(error));
  if (known === null) return error;
  const [code, reason] = known;
  return new SwitchyardError(code, `Cannot ${doing} ${path}: ${reason}`, { cause: error });
}

/** Runs `action`, rethrowing what it throws through {@link fileError}. */
export function withFileErrors<R>(doing: string, path: string, action: () => R): R {
  try {
    return action();
  } catch (error) {
    throw fileError(error, doing, path);
  }
}

function systemCode(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}

function describe(code: string): [ErrorCode, string] | null {
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return ['disk-full', 'the disk is full. Free some space and try again.'];
    case 'ENOENT':
      return ['not-found', 'there is no such file or folder.'];
    case 'ENOTDIR':
      return ['not-found', 'a part of the path is a file, not a folder.'];
    case 'EISDIR':
      return ['invalid-argument', 'it is a folder, not a file.'];
    case 'EACCES':
    case 'EPERM':
      return ['invalid-argument', 'permission was denied.'];
    case 'ENAMETOOLONG':
      return ['invalid-argument', 'the name is too long.'];
    case 'EROFS':
      return ['invalid-argument', 'the file system is read-only.'];
    default:
      return null;
  }
}
