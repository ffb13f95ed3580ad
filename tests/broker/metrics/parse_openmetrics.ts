/** A sample as a scraper reads it. */
export interface ParsedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A family as a scraper reads it. */
export interface ParsedFamily {
  readonly name: string;
  readonly type: string;
  readonly samples: ParsedSample[];
}

const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  counter: ["_total"],
  gauge: [""],
  histogram: ["_bucket", "_count", "_sum"],
};

/**
 * Reads OpenMetrics text strictly: one TYPE line a family, samples only behind their family's line and under
 * names its type allows, no two series alike, `# EOF` at the end.
 */
export function parseOpenMetrics(text: string): ParsedFamily[] {
  const lines = text.split("\n");
  if (lines.pop() !== "" || lines.pop() !== "# EOF") throw new Error("Text does not end with # EOF");
  const families: ParsedFamily[] = [];
  const seen = new Set<string>();
  for (const line of lines) {
    if (line.startsWith("#")) {
      families.push(parseFamily(line, seen));
      continue;
    }
    const family = families.at(-1);
    if (family === undefined) throw new Error(`Sample without a family: ${line}`);
    const sample = parseSample(line);
    const names = (SUFFIXES[family.type] ?? []).map((suffix) => family.name + suffix);
    if (!names.includes(sample.name)) throw new Error(`Sample of no type "${family.type}": ${line}`);
    once(seen, `${sample.name}${JSON.stringify(Object.entries(sample.labels))}`);
    family.samples.push(sample);
  }
  return families;
}

function parseFamily(line: string, seen: Set<string>): ParsedFamily {
  const [, name, type] = /^# TYPE ([a-z_0-9]+) (counter|gauge|histogram)$/.exec(line) ?? [];
  if (name === undefined || type === undefined) throw new Error(`Not a TYPE line: ${line}`);
  once(seen, name);
  return { name, type, samples: [] };
}

function parseSample(line: string): ParsedSample {
  const [, name, labelText, value] = /^([a-z_0-9]+)(?:\{(.*)\})? (\S+)$/s.exec(line) ?? [];
  if (name === undefined || value === undefined) throw new Error(`Not a sample: ${line}`);
  return { name, labels: parseLabels(labelText), value: parseNumber(value) };
}

function parseLabels(text: string | undefined): Record<string, string> {
  const labels: Record<string, string> = {};
  let rest = text ?? "";
  while (rest !== "") {
    const [whole, name, value] = /^([a-z_]+)="((?:[^"\\\n]|\\[\\"n])*)"(?:,(?=.)|$)/s.exec(rest) ?? [];
    if (whole === undefined || name === undefined || value === undefined) {
      throw new Error(`Not labels: ${text}`);
    }
    labels[name] = value.replace(/\\(.)/g, (_, character) => character === "n" ? "\n" : character);
    rest = rest.slice(whole.length);
  }
  return labels;
}

function parseNumber(text: string): number {
  if (text === "+Inf") return Infinity;
  if (!/^-?\d+(\.\d+)?(e[+-]?\d+)?$/.test(text)) throw new Error(`Not a number: ${text}`);
  return Number(text);
}

function once(seen: Set<string>, what: string): void {
  if (seen.has(what)) throw new Error(`Occurs twice: ${what}`);
  seen.add(what);
}
