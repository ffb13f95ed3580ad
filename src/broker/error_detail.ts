// This module has no I/O.

/** What went wrong, for clients and operators: the reference's own words where there are some. */
export function errorDetail(error: unknown): string {
  const detail = (error as { detail?: unknown } | null | undefined)?.detail;
  return typeof detail === "string" ? detail : error instanceof Error ? error.message : String(error);
}
