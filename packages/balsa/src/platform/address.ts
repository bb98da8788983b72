/** A `host:port` address taken apart; an IPv6 host without its brackets. */
export interface Address {
  readonly host: string;
  /** 0–65535; 0 lets the system choose when listening. */
  readonly port: number;
}

/** Takes `host:port` or `[ipv6]:port` apart; undefined if it is neither. */
export function parseAddress(text: string): Address | undefined {
  const match = /^(?:\[([0-9A-Fa-f:.]+(?:%[\w.-]+)?)\]|([^\s:/[\]]+)):(\d{1,5})$/.exec(text);
  if (match === null) return undefined;
  const host = match[1] ?? match[2];
  const port = Number(match[3]);
  return host === undefined || port > 65535 ? undefined : { host, port };
}

export function formatAddress(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
