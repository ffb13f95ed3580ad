import process from "node:process";
import { renderAdminReply } from "../broker/admin/admin_reply.ts";
import { localSnapshot } from "../broker/admin/local_snapshot.ts";
import { BrokerMetrics } from "../broker/broker_metrics.ts";
import { inodePressure } from "../broker/inode_pressure.ts";
import { sendAdminRequest } from "../client/admin_request.ts";
import { withoutCode } from "../client/client_error.ts";
import { hostValues } from "../host/host_values.ts";
import { daemonDataDirectory, serviceDefinitionDirectory } from "../naming/directories.ts";
import { quotedText } from "../naming/quoted_text.ts";
import type { OperatorQuestion } from "./admin_question.ts";
import { exitCodeOf } from "./exit_code.ts";
import { writeBody, writeError } from "./stdio.ts";

/** What is printed and what the command exits with. */
interface Answer {
  readonly body: string;
  readonly exitCode: number;
}

/**
 * Answers an operator: by the broker behind an endpoint, or without one by what this host says by itself.
 *
 * @returns The exit code: the reply's, or 1 when the broker could not be asked.
 */
export async function adminCommand(
  question: OperatorQuestion,
  endpoint: string | undefined,
): Promise<number> {
  let answer: Answer;
  try {
    answer = endpoint === undefined
      ? await answerLocally(question)
      : await sendAdminRequest(endpoint, question);
  } catch (error) {
    if (endpoint === undefined) throw error;
    writeError(`admin request to ${quotedText(endpoint)} failed: ${withoutCode(error)}`);
    return 1;
  }
  await writeBody(answer.body);
  return exitCodeOf(answer.exitCode);
}

async function answerLocally(question: OperatorQuestion): Promise<Answer> {
  const host = hostValues();
  const snapshot = localSnapshot({
    brokerPid: process.pid,
    generatedAtUnixMs: Date.now(),
    inodePressure: await inodePressure(daemonDataDirectory(host).path),
    serviceDefinitionDir: serviceDefinitionDirectory(host),
  });
  return renderAdminReply(question, snapshot, new BrokerMetrics().render(snapshot, new Map()));
}
