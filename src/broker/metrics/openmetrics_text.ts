// This module has no I/O.

/** Exponents from which and to which OpenMetrics writes a canonical number without one. */
const PLAIN_EXPONENT = { min: -4, max: 5 };

const ESCAPES: Readonly<Record<string, string>> = { "\\": "\\\\", '"': '\\"', "\n": "\\n" };

/** Makes a label value fit between double quotes. Every other character stands for itself. */
export function escapeLabelValue(value: string): string {
  return value.replace(/[\\"\n]/g, (character) => ESCAPES[character]!);
}

/** Writes a sample's value; whole numbers have no point, as in the reference. */
export function sampleNumber(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  return String(value);
}

/**
 * Writes a number in OpenMetrics' canonical form, which the `le` of a bucket needs so that a series keeps its name
 * whoever renders it: `0.001`, `1.0`, `5e-05`, `+Inf`.
 */
export function canonicalNumber(value: number): string {
  if (!Number.isFinite(value)) return sampleNumber(value);
  const [mantissa, exponentText] = value.toExponential().split("e") as [string, string];
  const exponent = Number(exponentText);
  if (value === 0 || (exponent >= PLAIN_EXPONENT.min && exponent <= PLAIN_EXPONENT.max)) {
    return Number.isInteger(value) ? `${value}.0` : String(value);
  }
  const sign = exponent < 0 ? "-" : "+";
  return `${mantissa}e${sign}${String(Math.abs(exponent)).padStart(2, "0")}`;
}
