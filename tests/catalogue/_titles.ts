import { readSourceText } from "../../scripts/structure/source_text.ts";

/**
 * How often a text occurs in the strings of a source, comments and code not counted: once means that it names
 * one test.
 */
export function occurrencesInStrings(source: string, text: string): number {
  const { code, comments } = readSourceText(source);
  let count = 0;
  for (let at = source.indexOf(text); at !== -1; at = source.indexOf(text, at + 1)) {
    if (
      code.slice(at, at + text.length).trim() === "" && comments.slice(at, at + text.length).trim() === ""
    ) {
      count++;
    }
  }
  return count;
}
