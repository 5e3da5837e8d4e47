/** What every answer of the server carries, and answers that are errors. */
import type { ServerResponse } from 'node:http';
import type { ErrorCode, ErrorRecord } from '../contract/errors.ts';

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  // The socket is named too: not every browser counts ws: as 'self'.
  "connect-src 'self' ws://127.0.0.1:* ws://localhost:*",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "object-src 'none'",
].join('; ');

const features = ['camera', 'microphone', 'geolocation', 'display-capture', 'usb', 'serial', 'hid'];
const moreFeatures = ['midi', 'payment', 'accelerometer', 'gyroscope', 'magnetometer'];

const securityHeaders: Readonly<Record<string, string>> = {
  'Content-Security-Policy': policy,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': [...features, ...moreFeatures].map((name) => `${name}=()`).join(', '),
};

/** Sets the headers that every answer carries; nothing is kept unless a route says so. */
export function protect(response: ServerResponse): void {
  for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value);
  response.setHeader('Cache-Control', 'no-store');
}

/** A status with nothing more to say. */
export function answerStatus(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'Content-Length': 0 }).end();
}

export function answerJson(response: ServerResponse, status: number, body: unknown): void {
  const bytes = Buffer.from(JSON.stringify(body));
  const type = 'application/json; charset=utf-8';
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': bytes.length }).end(bytes);
}

const statuses: Partial<Record<ErrorCode, number>> = {
  'invalid-argument': 400,
  'invalid-data': 400,
  interrupted: 400,
  'not-found': 404,
  conflict: 409,
  'disk-full': 507,
};

/** The error as JSON, with the status that fits its code unless one is given. */
export function answerError(
  response: ServerResponse,
  error: ErrorRecord,
  status = statuses[error.code] ?? 500,
): void {
  answerJson(response, status, error);
}
