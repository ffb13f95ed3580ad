import { within } from "../support/waiting.ts";

/** Events of a broker, a backend or a client as they come, and waiting for one of them. */
export class EventLog<Event extends { readonly kind: string }> {
  readonly events: Event[] = [];
  readonly #waiting = new Set<() => void>();

  /** Takes one event; hand this to `observe`. */
  readonly observe = (event: Event): void => {
    this.events.push(event);
    for (const look of this.#waiting) look();
  };

  /** Events of one kind so far. */
  of<Kind extends Event["kind"]>(kind: Kind): Extract<Event, { kind: Kind }>[] {
    return this.events.filter((event): event is Extract<Event, { kind: Kind }> => event.kind === kind);
  }

  /** The n-th event of a kind, counted from 1, when it comes or has come. */
  async nth<Kind extends Event["kind"]>(kind: Kind, count: number): Promise<Extract<Event, { kind: Kind }>> {
    let look = () => {};
    const waiting = new Promise<Extract<Event, { kind: Kind }>>((resolve) => {
      look = () => {
        const event = this.of(kind)[count - 1];
        if (event !== undefined) resolve(event);
      };
      this.#waiting.add(look);
      look();
    });
    try {
      return await within(`event ${count} of "${kind}"`, waiting);
    } catch (cause) {
      const seen = this.events.map((event) => event.kind).join(" ");
      throw new Error(`${(cause as Error).message}; seen: ${seen}`, { cause });
    } finally {
      this.#waiting.delete(look);
    }
  }
}
