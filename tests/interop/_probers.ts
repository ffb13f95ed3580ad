import type { Runtime } from "../support/runtimes.ts";
import { executableOf, Lab, labRuntimes, type PeerEvent } from "./_lab.ts";
import { type BackendPart, startBackend } from "./_parts.ts";
import { type PeerVersion, peerVersions } from "./_peer_crate.ts";

/** A version of the reference, or this project in a runtime. */
export type Party = PeerVersion | Runtime;

/** Everybody who can ask or be asked. */
export const parties: readonly Party[] = [...peerVersions, ...labRuntimes];

/** A backend to be recognised. */
export interface ProbedBackend {
  readonly party: Party;
  readonly part: BackendPart;
  readonly executable: string;
}

const NAMESPACE = "shared";
/** The question has 500 ms in production; a busy machine may need longer. */
const PROBE_DEADLINE_MS = 10_000;
/** The reference's 500 ms cannot be changed, but it can be asked again. */
const RUST_ATTEMPTS = 5;

/** One lab for each version, disposed together. */
export class Labs implements AsyncDisposable {
  readonly #labs: ReadonlyMap<PeerVersion, Lab>;

  private constructor(labs: ReadonlyMap<PeerVersion, Lab>) {
    this.#labs = labs;
  }

  static async open(): Promise<Labs> {
    const labs = new Map<PeerVersion, Lab>();
    for (const version of peerVersions) labs.set(version, await Lab.open(version));
    return new Labs(labs);
  }

  /** The lab of a version; parties of this project are at home in the first. */
  of(party: Party): Lab {
    const version = peerVersions.find((known) => known === party) ?? peerVersions[0];
    return this.#labs.get(version)!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const lab of this.#labs.values()) await lab[Symbol.asyncDispose]();
  }
}

/** Whether a party is the reference. */
export function isRust(party: Party): party is PeerVersion {
  return peerVersions.some((version) => version === party);
}

/** Starts a backend of a party. */
export async function startProbedBackend(labs: Labs, party: Party): Promise<ProbedBackend> {
  const lab = labs.of(party);
  const part = await startBackend(lab, isRust(party) ? "rust" : party);
  return { party, part, executable: isRust(party) ? lab.crate.backend : executableOf(party) };
}

/** Lets a party find out whether the process that an identity file announces is there. */
export async function probe(
  labs: Labs,
  prober: Party,
  { part, executable }: ProbedBackend,
  identityFile: string | undefined,
): Promise<PeerEvent> {
  if (!isRust(prober)) {
    const { endpoint } = part;
    const expected = { endpoint, namespaceId: NAMESPACE, binaryPath: executable };
    const options = { ...expected, identityFile, deadlineMs: PROBE_DEADLINE_MS };
    const [seen] = await labs.of(prober).runModule(prober, "probe.ts", options);
    return seen!;
  }
  if (identityFile === undefined) throw new TypeError("The reference only probes what it has an identity of");
  for (let attempt = 1;; attempt++) {
    const seen = await labs.of(prober).askPeer("client", "probe", "--identity", identityFile);
    if (attempt === RUST_ATTEMPTS || !/timed out/i.test(String(seen["error"]))) return seen;
  }
}

/** Whether a probe found the process. */
export function isRecognised(seen: PeerEvent): boolean {
  return seen.event === "proven" || (seen.event === "probe" && seen["ok"] === true);
}
