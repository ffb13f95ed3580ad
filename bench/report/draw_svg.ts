// Draws distributions: draw_svg.ts POINTS.json PICTURE.svg. Needs no browser.
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import type { DistributionPoint } from "./draw_report.ts";

// Pinned here and in deno.lock beside this file: the product does not depend on them, and so nothing else does.
const VEGA = "npm:vega@6.4.0";
const VEGA_LITE = "npm:vega-lite@6.5.0";

/** As much of Vega as is used. */
interface Vega {
  parse(spec: unknown): unknown;
  View: new (runtime: unknown, options: { renderer: "none" }) => { toSVG(): Promise<string> };
}

/** As much of Vega-Lite as is used. */
interface VegaLite {
  compile(spec: unknown): { spec: unknown };
}

function specOf(points: readonly DistributionPoint[]): unknown {
  const us = {
    field: "us",
    type: "quantitative",
    scale: { type: "log", nice: false },
    title: "us, logarithmic",
  };
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    background: "white",
    data: { values: points },
    facet: { field: "panel", type: "nominal", title: null },
    columns: 2,
    spec: {
      width: 380,
      height: 240,
      mark: { type: "line", clip: true, interpolate: "step-after" },
      encoding: {
        x: us,
        y: { field: "percent", type: "quantitative", title: "percent of first answers" },
        order: { field: "percent" },
        color: {
          field: "line",
          type: "nominal",
          title: null,
          legend: { orient: "bottom", columns: 3, labelLimit: 0 },
        },
      },
    },
  };
}

const [input = "", output = ""] = process.argv.slice(2);
const vega: Vega = await import(VEGA);
const { compile }: VegaLite = await import(VEGA_LITE);
const points: DistributionPoint[] = JSON.parse(readFileSync(input, "utf8"));
const view = new vega.View(vega.parse(compile(specOf(points)).spec), { renderer: "none" });
writeFileSync(output, `${await view.toSVG()}\n`);
