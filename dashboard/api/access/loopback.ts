// This machine alone: as an address to listen on, and as a name that a browser may ask for.
import { BlockList, isIP, isIPv6 } from 'node:net';

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  if (isIP(name) !== 0) return LOOPBACK.check(name, isIPv6(name) ? 'ipv6' : 'ipv4');
  return name === 'localhost';
}

/** The name in a Host header, without its port. */
export const hostName = (header: string): string => header.replace(/:\d+$/, '');
