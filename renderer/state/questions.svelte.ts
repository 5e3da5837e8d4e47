/** One question at a time in a dialog: a confirmation, or a text to enter. Shown by Questions.svelte. */

export interface Question {
  title: string;
  /** Paragraphs. */
  body: readonly string[];
  /** What the button that goes on says: a verb. */
  action: string;
  /** What the button for another way says: a verb as well. */
  otherwise?: string;
  /** The action cannot be undone. */
  danger?: boolean;
  /** Present when a text is asked for. */
  field?: { label: string; value: string; longest: number; multiline?: boolean };
}

class Questions {
  current = $state.raw<Question | null>(null);
  #answer: ((text: string | null) => void) | null = null;

  /** Whether the person said yes. */
  async confirm(question: Omit<Question, 'field'>): Promise<boolean> {
    return (await this.#ask(question)) !== null;
  }

  /** Which of two ways the person chose; null when they changed their mind. */
  async choose(
    question: Omit<Question, 'field'> & { otherwise: string },
  ): Promise<'action' | 'otherwise' | null> {
    const answer = await this.#ask(question);
    return answer === '' ? 'action' : answer === null ? null : 'otherwise';
  }

  /** The text that was entered; null when the person changed their mind. */
  text(question: Question & { field: NonNullable<Question['field']> }): Promise<string | null> {
    return this.#ask(question);
  }

  /** Called by the dialog: with a text, empty where none was asked for, or the other way's name. */
  answer(text: string | null): void {
    this.current = null;
    this.#answer?.(text);
    this.#answer = null;
  }

  #ask(question: Question): Promise<string | null> {
    this.answer(null);
    this.current = question;
    return new Promise((resolve) => (this.#answer = resolve));
  }
}

export const questions = new Questions();
