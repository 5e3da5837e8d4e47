/** Numbers as people read them: three or four significant digits, grouped, always with a unit. */

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** A whole number with thousands separators. */
export function whole(value: number): string {
  return grouped.format(value);
}

/** A count of things: `512`, `848,896`, `1.23M`, `170.4M`, `2.13G`. Below a million all digits count. */
export function count(value: number): string {
  if (value < 999_999.5) return whole(value);
  const [scaled, suffix] = value < 1e9 ? [value / 1e6, 'M'] : [value / 1e9, 'G'];
  return `${scaled.toFixed(scaled < 10 ? 2 : 1)}${suffix}`;
}

/** Bytes in binary units: `512 B`, `61.2 MiB`, `1.20 GiB`. */
export function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let scaled = value;
  let unit = 0;
  while (scaled >= 1000 && unit < units.length - 1) {
    scaled /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? whole(scaled) : significant(scaled)} ${units[unit]}`;
}

/** Floating-point operations a second: `820 MFLOP/s`, `43.1 GFLOP/s`, `212 TFLOP/s`. */
export function flops(perSecond: number): string {
  const units = ['MFLOP/s', 'GFLOP/s', 'TFLOP/s'];
  const power = Math.min(Math.max(Math.floor(Math.log10(perSecond) / 3), 2), 4);
  return `${significant(perSecond / 1000 ** power)} ${units[power - 2]}`;
}

/** A short time: `0.42 ms`, `98.2 ms`, `1,240 ms`. Step times stay in one unit so that they compare. */
export function milliseconds(value: number): string {
  return `${significant(value)} ms`;
}

/** A length of time: `85 ms`, `1.4 s`, `47 s`, `2 min 05 s`, `3 h 20 min`. */
export function duration(seconds: number): string {
  if (seconds < 0.9995) return `${(seconds * 1000).toFixed(0)} ms`;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const total = Math.round(seconds);
  const two = (value: number): string => String(value).padStart(2, '0');
  if (total < 60) return `${total} s`;
  if (total < 3600) return `${Math.floor(total / 60)} min ${two(total % 60)} s`;
  const minutes = Math.round(total / 60);
  return `${whole(Math.floor(minutes / 60))} h ${two(minutes % 60)} min`;
}

const fourDecimals = new Intl.NumberFormat('en-US', {
  minimumFractionDigits: 4,
  maximumFractionDigits: 4,
});

/** A loss in nats per token, without its unit: `1.7432`. */
export function loss(value: number | null): string {
  return value === null ? '–' : fourDecimals.format(value);
}

/** A loss in bits, without its unit: `2.507`. */
export function bits(value: number): string {
  return value.toFixed(3);
}

/** A learning rate, over many orders of magnitude: `0`, `3.00e-3`, `0.500`. */
export function rate(value: number): string {
  if (value === 0) return '0';
  return value < 0.1 ? value.toExponential(2) : value.toPrecision(3);
}

/** One quantity relative to another: `0.98×`, `12.4×`, `<0.01×`. */
export function ratio(value: number, reference: number): string {
  const quotient = value / reference;
  if (!Number.isFinite(quotient)) return '–';
  return quotient > 0 && quotient < 0.005 ? '<0.01×' : `${significant(quotient)}×`;
}

/** A share of a whole: `90.0 %`, `<0.1 %`. */
export function percent(share: number): string {
  return share > 0 && share < 0.0005 ? '<0.1 %' : `${(share * 100).toFixed(1)} %`;
}

/** An instant in the local time zone, to the minute. */
export function instant(iso: string): string {
  const date = new Date(iso);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** A setting to look at: whole numbers grouped, others without the noise of their last digits. */
export function setting(value: string | number | boolean): string {
  if (typeof value !== 'number') return String(value);
  return Number.isInteger(value) ? whole(value) : String(Number(value.toPrecision(12)));
}

/** "1 step", "2 steps". */
export function plural(value: number, noun: string): string {
  return `${whole(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** Three significant digits without an exponent. */
function significant(value: number): string {
  if (value >= 100) return whole(value);
  return value.toFixed(value >= 10 ? 1 : 2);
}
