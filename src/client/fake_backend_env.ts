import process from "node:process";

/** Names an endpoint that stands in for broker and backend, for requests with `testSeams` (protocol 5.1). */
export const RUNNING_PROCESS_FAKE_BACKEND_ENV = "RUNNING_PROCESS_FAKE_BACKEND";

/**
 * Where the environment says that tests serve instead of broker and backend.
 *
 * In Deno it requires `--allow-env=RUNNING_PROCESS_FAKE_BACKEND`.
 *
 * @returns The stand-in's endpoint; `undefined` when the variable is unset or empty.
 */
export function fakeBackendEndpoint(): string | undefined {
  return process.env[RUNNING_PROCESS_FAKE_BACKEND_ENV] || undefined;
}
