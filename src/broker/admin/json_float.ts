// This module has no I/O.

/** Largest number of digits before the point that the reference writes without an exponent. */
const PLAIN_DIGITS_MAX = 16;

/** Most zeros behind the point that the reference writes without an exponent. */
const LEADING_ZEROS_MAX = 4;

/** A number that is written as a floating-point number even when it is whole: `0.0`, not `0`. */
export class JsonFloat {
  /** The number itself. */
  readonly value: number;

  /**
   * Marks a number for {@linkcode jsonFloatText}.
   *
   * @param value Any number; what is not finite has no JSON form and is written as `null`.
   */
  constructor(value: number) {
    this.value = value;
  }
}

/**
 * Writes a floating-point number as the reference does: the shortest digits that read back as the same number,
 * with `.0` behind a whole one (protocol 14, trap 6).
 *
 * @param value Any number.
 * @returns The text, `null` for what is not finite.
 */
export function jsonFloatText(value: number): string {
  if (!Number.isFinite(value)) return "null";
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  if (value === 0) return `${sign}0.0`;
  const [mantissa, exponentText] = Math.abs(value).toExponential().split("e") as [string, string];
  const digits = mantissa.replace(".", "");
  const exponent = Number(exponentText);
  const wholeDigits = exponent + 1;
  return sign + placePoint(digits, wholeDigits, exponent);
}

function placePoint(digits: string, wholeDigits: number, exponent: number): string {
  if (wholeDigits > 0 && wholeDigits <= PLAIN_DIGITS_MAX) {
    const padded = digits.padEnd(wholeDigits, "0");
    return `${padded.slice(0, wholeDigits)}.${padded.slice(wholeDigits) || "0"}`;
  }
  if (wholeDigits <= 0 && wholeDigits >= -LEADING_ZEROS_MAX) return `0.${"0".repeat(-wholeDigits)}${digits}`;
  const fraction = digits.length > 1 ? `.${digits.slice(1)}` : "";
  return `${digits[0]}${fraction}e${exponent < 0 ? "" : "+"}${exponent}`;
}
