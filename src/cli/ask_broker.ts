import process from "node:process";
import { renderAdminReply } from "../broker/admin/admin_reply.ts";
import { localSnapshot } from "../broker/admin/local_snapshot.ts";
import { BrokerMetrics } from "../broker/broker_metrics.ts";
import { inodePressure } from "../broker/inode_pressure.ts";
import { sendAdminRequest } from "../client/admin_request.ts";
import { hostValues } from "../host/host_values.ts";
import { daemonDataDirectory, serviceDefinitionDirectory } from "../naming/directories.ts";
import type { OperatorQuestion } from "./admin_question.ts";

/** What is printed and what the command exits with. */
export interface BrokerAnswer {
  /** Text, JSON or OpenMetrics. */
  readonly body: string;
  /** As the broker gives it, which may be more than a process can exit with. */
  readonly exitCode: number;
}

/** Whoever answers an operator. */
export type AskBroker = (question: OperatorQuestion) => Promise<BrokerAnswer>;

/**
 * Whom an operator's questions go to: the broker behind an endpoint, or without one this host by itself, which
 * says the same each time.
 */
export function askBroker(endpoint: string | undefined): AskBroker {
  if (endpoint !== undefined) return (question) => sendAdminRequest(endpoint, question);
  let snapshot: ReturnType<typeof takeSnapshot> | undefined;
  return async (question) => {
    const taken = await (snapshot ??= takeSnapshot());
    return renderAdminReply(question, taken, new BrokerMetrics().render(taken, new Map()));
  };
}

async function takeSnapshot() {
  const host = hostValues();
  return localSnapshot({
    brokerPid: process.pid,
    generatedAtUnixMs: Date.now(),
    inodePressure: await inodePressure(daemonDataDirectory(host).path),
    serviceDefinitionDir: serviceDefinitionDirectory(host),
  });
}
