import { create } from "@bufbuild/protobuf";
import { hostIdentity } from "../host/host_identity.ts";
import { hostValues } from "../host/host_values.ts";
import { manifestDirectory } from "../naming/directories.ts";
import {
  type CacheManifest,
  CacheManifestSchema,
  type CacheRootKind,
  CacheRootSchema,
} from "../wire/gen/broker_v1_manifest_pb.ts";
import { writeManifestToCentral } from "./manifest_registry.ts";
import { sealManifest } from "./manifest_seal.ts";

/** The envelope version that manifests name. */
const BROKER_ENVELOPE_VERSION = "v1";

/**
 * Builds a cache manifest for this host (protocol 9.5).
 *
 * @example Usage
 * ```ts
 * import { CacheManifestBuilder, CacheRootKind } from "@running-process/broker";
 * const path = await new CacheManifestBuilder("my-daemon", "1.2.3")
 *   .root(CacheRootKind.CACHE_DATA, "/var/cache/my-daemon")
 *   .publishIn("/tmp/manifests");
 * ```
 */
export class CacheManifestBuilder {
  readonly #manifest: CacheManifest;

  /**
   * Starts the manifest of one version of a service.
   *
   * @param service The service's name.
   * @param version Its version.
   * @param nowMs The clock: milliseconds since the Unix epoch.
   */
  constructor(service: string, version: string, nowMs: () => number = Date.now) {
    const now = BigInt(nowMs());
    this.#manifest = create(CacheManifestSchema, {
      serviceName: service,
      serviceVersion: version,
      brokerEnvelopeVersion: BROKER_ENVELOPE_VERSION,
      createdAtUnixMs: now,
      lastActiveUnixMs: now,
    });
  }

  /** Sets the broker instance's id, for example `shared`. */
  brokerInstance(id: string): this {
    this.#manifest.brokerInstance = id;
    return this;
  }

  /** Sets the bundle that the service belongs to. */
  bundleId(id: string): this {
    this.#manifest.bundleId = id;
    return this;
  }

  /** Adds a directory of the service's cache. */
  root(kind: CacheRootKind, path: string): this {
    this.#manifest.roots.push(create(CacheRootSchema, { kind, path }));
    return this;
  }

  /**
   * Completes and seals the manifest.
   *
   * In Deno it requires `--allow-all` on Linux, which keeps what identifies a host below `/proc`.
   */
  async build(): Promise<CacheManifest> {
    return sealManifest({ ...this.#manifest, host: await hostIdentity() });
  }

  /**
   * Seals the manifest and writes it to this user's registry.
   *
   * @returns The file's path.
   * @throws {ManifestError} When the names are not valid or the registry cannot be written.
   */
  async publish(): Promise<string> {
    return await this.publishIn(manifestDirectory(hostValues()).path);
  }

  /**
   * Seals the manifest and writes it to a given registry.
   *
   * @param registry The registry's directory; created when missing.
   * @returns The file's path.
   * @throws {ManifestError} When the names are not valid or the registry cannot be written.
   */
  async publishIn(registry: string): Promise<string> {
    const manifest = await this.build();
    return await writeManifestToCentral(registry, manifest.serviceName, manifest.serviceVersion, manifest);
  }
}
