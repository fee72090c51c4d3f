// The addresses of the proxy whose headers are believed.
import { BlockList, isIPv6 } from 'node:net';

/** @param from addresses and networks, as the configuration has checked them */
export function peerCheck(from: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const entry of from) {
    const [address = '', prefix] = entry.split('/');
    if (prefix === undefined) list.addAddress(address, familyOf(address));
    else list.addSubnet(address, Number(prefix), familyOf(address));
  }
  return (address) => list.check(address, familyOf(address));
}

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIPv6(address) ? 'ipv6' : 'ipv4');
