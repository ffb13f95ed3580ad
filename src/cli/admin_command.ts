import { withoutCode } from "../client/client_error.ts";
import { quotedText } from "../naming/quoted_text.ts";
import type { OperatorQuestion } from "./admin_question.ts";
import { askBroker, type BrokerAnswer } from "./ask_broker.ts";
import { exitCodeOf } from "./exit_code.ts";
import { writeBody, writeError } from "./stdio.ts";

/**
 * Answers an operator: by the broker behind an endpoint, or without one by what this host says by itself.
 *
 * @returns The exit code: the reply's, or 1 when the broker could not be asked.
 */
export async function adminCommand(
  question: OperatorQuestion,
  endpoint: string | undefined,
): Promise<number> {
  let answer: BrokerAnswer;
  try {
    answer = await askBroker(endpoint)(question);
  } catch (error) {
    if (endpoint === undefined) throw error;
    writeError(adminFailure(endpoint, error));
    return 1;
  }
  await writeBody(answer.body);
  return exitCodeOf(answer.exitCode);
}

/** What is said when the broker behind an endpoint could not be asked, and what to do about it. */
export function adminFailure(endpoint: string, error: unknown): string {
  return `admin request to ${quotedText(endpoint)} failed: ${withoutCode(error)}; ` +
    "doctor --socket says who listens there";
}
