/**
 * Who may talk to the server: this machine's own pages with this start's token. A page of another
 * site reaches 127.0.0.1 too, so its Origin is refused; a name that an attacker points at 127.0.0.1
 * shows in Host.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { appOrigin } from '../contract/desktop.ts';
import { subprotocol } from '../contract/wire.ts';

/** Any port: a tunnel may have another one at its near end. */
const ownHost = /^(127\.0\.0\.1|localhost)(:\d{1,5})?$/iu;

/** Why a request is refused with 403 whatever its token, or null. */
export function foreign({ headers }: IncomingMessage): string | null {
  const { host, origin } = headers;
  if (host === undefined || !ownHost.test(host)) return `foreign Host ${shown(host)}`;
  if (origin === undefined || origin === appOrigin) return null;
  if (origin.toLowerCase() === `http://${host.toLowerCase()}`) return null;
  return `foreign Origin ${shown(origin)}`;
}

/** Whether the request's bearer token is the right one. */
export function bears({ headers }: IncomingMessage, token: string): boolean {
  const given = /^Bearer (\S+)$/iu.exec(headers.authorization ?? '')?.[1];
  return given !== undefined && sameToken(given, token);
}

/** Whether a socket may be opened: by bearer, or as a page does by its second subprotocol. */
export function maySpeak(request: IncomingMessage, token: string): boolean {
  if (bears(request, token)) return true;
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',');
  const [first, second = ''] = offered.map((name) => name.trim());
  return first === subprotocol && sameToken(second, token);
}

/** A function that says whether it was given the ticket: true once, as a second time is somebody else's. */
export function createTicketCheck(ticket: string | null): (given: string) => boolean {
  let valid = ticket;
  return (given) => {
    if (valid === null || !sameToken(given, valid)) return false;
    valid = null;
    return true;
  };
}

/** Compares digests, so that the time taken says nothing about the token or its length. */
function sameToken(given: string, token: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(token));
}

/** For the log: bounded, and without control characters. */
export function shown(text: string | undefined): string {
  return text === undefined ? '(none)' : JSON.stringify(text.slice(0, 200));
}
