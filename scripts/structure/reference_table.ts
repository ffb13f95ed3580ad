// This module has no I/O.

/** A public item of a reference module, and what it is called here. */
export interface ReferenceName {
  /** Path of the module below the reference's broker module. */
  readonly module: string;
  /** The item; fields, methods and variants behind `::`. */
  readonly item: string;
  readonly kind: string;
  /** `Name`, `Name.member` or `Name "variant"`, as exported by the public entry. */
  readonly ours: string;
  /** Why it differs, where it does. */
  readonly note?: string;
}

const HEAD = `# Names of the reference and ours

Every public item of five modules of the Rust crate \`running-process\` 4.5.7, and its counterpart exported by
\`mod.ts\`. \`snake_case\` becomes \`camelCase\`; a \`Duration\` becomes a number that ends in \`Ms\`; \`new\` becomes an
object literal or a constructor; an enum becomes a union told apart by \`kind\`.

Written by \`deno run -A scripts/write_reference_names.ts\` from \`tests/structure/reference_names.json\`; a test
fails when a counterpart is not exported or this page is out of date.
`;

/** The page that maps each name to ours. */
export function referenceNamesPage(names: readonly ReferenceName[]): string {
  const modules = [...new Set(names.map(({ module }) => module))];
  const parts = modules.map((module) => {
    const rows = names.filter((name) => name.module === module).map(cells);
    return `## ${module}\n\n${table([["reference", "kind", "ours", "note"], ...rows])}\n`;
  });
  return [HEAD, ...parts].join("\n");
}

function cells({ item, kind, ours, note = "" }: ReferenceName): string[] {
  return [`\`${item}\``, kind, `\`${ours}\``, note];
}

/** A table as the formatter wants it: every column as wide as its widest cell. */
function table(rows: readonly string[][]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`;
  const [head = [], ...body] = rows;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...body.map(line)].join("\n");
}
