/** The browser's own dialog for files: a file input that nobody sees. */

/**
 * Makes the input; call `click()` on it to ask.
 * @param onFiles is given what was chosen, every time something was
 */
export function createFileInput(onFiles: (files: readonly File[]) => void): HTMLInputElement {
  const input = document.createElement('input');
  input.type = 'file';
  input.multiple = true;
  input.hidden = true;
  input.addEventListener('change', () => {
    const files = [...(input.files ?? [])];
    input.value = ''; // so that the same file can be chosen again
    onFiles(files);
  });
  document.body.append(input);
  return input;
}
