// This module has no I/O.

/** A step of a client on its way to a backend. Events never carry tokens or payload. */
export type ClientEvent =
  | { readonly kind: "connected"; readonly to: "broker" | "backend"; readonly endpoint: string }
  | { readonly kind: "hello-sent" }
  | {
    readonly kind: "negotiated";
    readonly connectionId: bigint;
    readonly backendEndpoint: string;
    readonly handoffAnnounced: boolean;
  }
  | { readonly kind: "handed-over"; readonly connectionId: bigint }
  | { readonly kind: "handoff-fallback"; readonly detail: string };

/** Takes events as they happen; must not throw. */
export type ClientObserver = (event: ClientEvent) => void;
