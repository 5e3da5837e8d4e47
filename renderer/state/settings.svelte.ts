/** What a person has set for this page, kept by the browser. */

export type Theme = 'system' | 'light' | 'dark';
const themes: readonly Theme[] = ['system', 'light', 'dark'];

/** A kept setting as it was written; null when there is none. */
export function keptText(key: string): string | null {
  try {
    return localStorage.getItem(`switchyard.${key}`);
  } catch {
    return null; // storage may be forbidden; the page works without
  }
}

/** Keeps a setting; where storage is forbidden it lasts as long as the page. */
export function keep(key: string, value: string): void {
  try {
    localStorage.setItem(`switchyard.${key}`, value);
  } catch {
    // see above
  }
}

/** A kept setting, if it is one of the choices. */
export function kept<const T extends string>(key: string, choices: readonly T[], otherwise: T): T {
  const value = keptText(key);
  return choices.find((choice) => choice === value) ?? otherwise;
}

class Appearance {
  theme = $state<Theme>(kept('theme', themes, 'system'));
  #systemDark = $state(false);
  /** Whether the page is dark now: charts need to know, everything else is CSS. */
  dark = $derived(this.theme === 'system' ? this.#systemDark : this.theme === 'dark');

  start(): void {
    const query = window.matchMedia('(prefers-color-scheme: dark)');
    this.#systemDark = query.matches;
    query.addEventListener('change', ({ matches }) => (this.#systemDark = matches));
    this.#show();
  }

  set(theme: Theme): void {
    this.theme = theme;
    keep('theme', theme);
    this.#show();
  }

  #show(): void {
    const { dataset } = document.documentElement;
    if (this.theme === 'system') delete dataset['theme'];
    else dataset['theme'] = this.theme;
  }
}

export const appearance = new Appearance();
