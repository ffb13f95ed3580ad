// This module has no I/O.

/** What the command line says is not a command: exit code 2 (protocol 10.1). */
export class UsageError extends Error {
  /** Always "UsageError". */
  override readonly name: string = "UsageError";
}

/** Arguments as this command has always read them: the value of an option is the element behind it. */
export class CommandLine {
  readonly #args: readonly string[];

  /** Keeps the arguments behind the program's name. */
  constructor(args: readonly string[]) {
    this.#args = args;
  }

  /** The first element. */
  get command(): string | undefined {
    return this.#args[0];
  }

  /** The element at a place, the command being at 0. */
  argument(index: number): string | undefined {
    return this.#args[index];
  }

  /** The first element behind the command that does not look like an option. */
  get operand(): string | undefined {
    return this.#args.slice(1).find((arg) => !arg.startsWith("-"));
  }

  /** Whether a flag is among the arguments, wherever it stands. */
  has(flag: string): boolean {
    return this.#args.includes(flag);
  }

  /**
   * The element behind the first occurrence of an option; `undefined` when it is not given.
   *
   * @throws {UsageError} When the option is the last element, so that there is none behind it.
   */
  value(option: string): string | undefined {
    return this.values(option)[0];
  }

  /**
   * The element behind each occurrence of an option.
   *
   * @throws {UsageError} When the option is the last element, so that there is none behind it.
   */
  values(option: string): string[] {
    if (this.#args.at(-1) === option) throw new UsageError(`${option} needs a value`);
    return this.#args.slice(1).filter((_, index) => this.#args[index] === option);
  }

  /**
   * The element behind the first occurrence of an option that has to be there.
   *
   * @throws {UsageError} When the option is missing.
   */
  required(option: string): string {
    const value = this.value(option);
    if (value === undefined) throw new UsageError(`missing ${option}`);
    return value;
  }

  /**
   * The value of an option that counts; `undefined` when it is not given.
   *
   * @throws {UsageError} When the value is no whole number of at least `min`.
   */
  count(option: string, min: number): number | undefined {
    const value = this.value(option);
    if (value === undefined) return undefined;
    const number = /^[0-9]{1,15}$/.test(value) ? Number(value) : NaN;
    if (number >= min) return number;
    throw new UsageError(`${option} must be a whole number of at least ${min}, seen "${value}"`);
  }
}
